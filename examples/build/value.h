/* Whole numbers with checked arithmetic. */
#ifndef CALC_VALUE_H
#define CALC_VALUE_H

enum value_status { VALUE_OK, VALUE_OVERFLOW, VALUE_DIVISION_BY_ZERO };

enum value_status value_apply(char operator, long left, long right, long* result);
const char* value_problem(enum value_status status);

#endif
