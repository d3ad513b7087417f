#include "parser.h"

#include "lexer.h"
#include "value.h"

struct parser {
    struct lexer lexer;
    const char *problem;
    int depth;
};

static const int depth_max = 200;

static long sum(struct parser *parser);

static int at_sign(const struct parser *parser, char sign)
{
    return parser->lexer.token.kind == TOKEN_SIGN && parser->lexer.token.sign == sign;
}

static long apply(struct parser *parser, char sign, long left, long right)
{
    long result = 0;
    enum value_status status = value_apply(sign, left, right, &result);
    if (status != VALUE_OK && !parser->problem)
        parser->problem = value_problem(status);
    return result;
}

static long factor(struct parser *parser)
{
    long value = 0;
    if (++parser->depth > depth_max)
        parser->problem = "too many brackets";
    if (parser->problem) {
        return 0;
    } else if (parser->lexer.token.kind == TOKEN_NUMBER) {
        value = parser->lexer.token.number;
        lexer_next(&parser->lexer);
    } else if (at_sign(parser, '-')) {
        lexer_next(&parser->lexer);
        value = apply(parser, '-', 0, factor(parser));
    } else if (at_sign(parser, '(')) {
        lexer_next(&parser->lexer);
        value = sum(parser);
        if (at_sign(parser, ')'))
            lexer_next(&parser->lexer);
        else if (!parser->problem)
            parser->problem = "a ) is missing";
    } else {
        parser->problem = "a number is missing";
    }
    parser->depth--;
    return value;
}

static long chain(struct parser *parser, const char *signs, long (*part)(struct parser *))
{
    long value = part(parser);
    while (!parser->problem && (at_sign(parser, signs[0]) || at_sign(parser, signs[1]))) {
        char sign = parser->lexer.token.sign;
        lexer_next(&parser->lexer);
        value = apply(parser, sign, value, part(parser));
    }
    return value;
}

static long product(struct parser *parser)
{
    return chain(parser, "*/", factor);
}

static long sum(struct parser *parser)
{
    return chain(parser, "+-", product);
}

int evaluate(const char *text, long *value, const char **problem)
{
    struct parser parser = {.problem = 0, .depth = 0};
    lexer_start(&parser.lexer, text);
    *value = sum(&parser);
    if (!parser.problem && parser.lexer.token.kind != TOKEN_END)
        parser.problem = "something follows that does not belong there";
    *problem = parser.problem;
    return parser.problem ? -1 : 0;
}
