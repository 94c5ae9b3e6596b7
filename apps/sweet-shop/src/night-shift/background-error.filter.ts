import { Catch, type ArgumentsHost, type ExceptionFilter, type Type } from '@nestjs/common';
import type { Response } from 'express';
import {
  IllegalStateError,
  InvalidOptionsError,
  NotTickedError,
  QueueClosedError,
  UnknownNameError,
} from 'nestjs-nightshift';
import { QueueFullError } from './room-in-queue.js';

/** What an error of the night shift is over HTTP. Those not named are mistakes of ours, and stay a 500. */
const statuses = new Map<Type<Error>, number>([
  [InvalidOptionsError, 400],
  [UnknownNameError, 404],
  [NotTickedError, 409],
  [IllegalStateError, 409],
  [QueueClosedError, 503],
  [QueueFullError, 503],
]);

const retryAfterSeconds = 5;

@Catch(...statuses.keys())
export class BackgroundErrorFilter implements ExceptionFilter {
  catch(error: Error & { code: string }, host: ArgumentsHost): void {
    const statusCode = statuses.get(error.constructor as Type<Error>)!;
    const response = host.switchToHttp().getResponse<Response>().status(statusCode);
    if (statusCode === 503) response.setHeader('Retry-After', retryAfterSeconds);
    response.json({ statusCode, code: error.code, message: error.message });
  }
}
