#include "lexer.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void lexer_start(struct lexer *lexer, const char *text)
{
    lexer->at = text;
    lexer_next(lexer);
}

void lexer_next(struct lexer *lexer)
{
    while (isspace((unsigned char)*lexer->at))
        lexer->at++;
    lexer->token = (struct token){TOKEN_END, 0, *lexer->at};
    if (*lexer->at == '\0')
        return;
    if (isdigit((unsigned char)*lexer->at)) {
        char *end;
        errno = 0;
        lexer->token.number = strtol(lexer->at, &end, 10);
        lexer->token.kind = errno == 0 ? TOKEN_NUMBER : TOKEN_UNKNOWN;
        lexer->at = end;
        return;
    }
    lexer->token.kind = strchr("+-*/()", *lexer->at) ? TOKEN_SIGN : TOKEN_UNKNOWN;
    lexer->at++;
}
