/** What was asked for is not there; the error handler answers 404. */
export class NotFound extends Error {
  readonly statusCode = 404;

  constructor(message: string) {
    super(message);
    this.name = "NotFound";
  }
}
