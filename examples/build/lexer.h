/* Cuts a text into numbers and signs. */
#ifndef CALC_LEXER_H
#define CALC_LEXER_H

enum token_kind { TOKEN_NUMBER, TOKEN_SIGN, TOKEN_END, TOKEN_UNKNOWN };

struct token {
  enum token_kind kind;
  long number;
  char sign;
};

struct lexer {
  const char* at;
  struct token token; /* the current one */
};

void lexer_start(struct lexer* lexer, const char* text);
void lexer_next(struct lexer* lexer);

#endif
