import { ValidationPipe } from '@nestjs/common';
import { queryErrors } from '../http/query-errors.js';

/** Reads a query string into a DTO; what the DTO does not know is named as an error. */
export const queryPipe = new ValidationPipe({
  transform: true,
  whitelist: true,
  forbidNonWhitelisted: true,
  exceptionFactory: queryErrors,
});
