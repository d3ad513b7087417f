/* sum = product {("+" | "-") product};  product = factor {("*" | "/") factor};
   factor = number | "-" factor | "(" sum ")" */
#ifndef CALC_PARSER_H
#define CALC_PARSER_H

/* 0 and the value; or -1 and what is wrong. */
int evaluate(const char* text, long* value, const char** problem);

#endif
