#include "value.h"

#include <limits.h>

enum value_status value_apply(char operator, long left, long right, long *result)
{
    switch (operator) {
    case '+':
        return __builtin_add_overflow(left, right, result) ? VALUE_OVERFLOW : VALUE_OK;
    case '-':
        return __builtin_sub_overflow(left, right, result) ? VALUE_OVERFLOW : VALUE_OK;
    case '*':
        return __builtin_mul_overflow(left, right, result) ? VALUE_OVERFLOW : VALUE_OK;
    default:
        if (right == 0)
            return VALUE_DIVISION_BY_ZERO;
        if (left == LONG_MIN && right == -1)
            return VALUE_OVERFLOW;
        *result = left / right;
        return VALUE_OK;
    }
}

const char *value_problem(enum value_status status)
{
    switch (status) {
    case VALUE_OVERFLOW:
        return "the result is too large";
    case VALUE_DIVISION_BY_ZERO:
        return "division by zero";
    default:
        return "no problem";
    }
}
