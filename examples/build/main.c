#include <stdio.h>

#include "parser.h"

int main(int count, char **arguments)
{
    if (count != 2) {
        fprintf(stderr, "usage: calc 'EXPRESSION'\n");
        return 2;
    }
    long value;
    const char *problem;
    if (evaluate(arguments[1], &value, &problem) != 0) {
        fprintf(stderr, "calc: %s\n", problem);
        return 1;
    }
    printf("%ld\n", value);
    return 0;
}
