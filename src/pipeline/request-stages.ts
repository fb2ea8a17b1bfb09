import type { BuiltDeadLetter } from "../event/dead-letter.ts";
import type { BuiltEvent } from "../event/build-event.ts";
import type { Hook } from "../model/hook.ts";
import type { CaptchaAsk, CaptchaVerdict } from "../authenticate/captcha.ts";
import type { JsonSchema, SecretReference } from "../model/hook-options.ts";
import type { JsonText } from "../model/mail.ts";
import type { EventId } from "../model/outcome.ts";
import type { PublishOutcome } from "../publish/publish-event.ts";
import type { SchemaVerdict } from "../extract/schema.ts";
import type { TaskFailure } from "../engine/work.ts";
import type { MailStages } from "./deliver-mail.ts";
import type { FileSink } from "./receive-files.ts";

/** What a request needs from the other rooms; wired by `daemon`. */
export interface RequestStages extends FileSink {
  readonly storeBytes: MailStages["storeBytes"];
  readonly readRequest: MailStages["readRequest"];
  checkSchema(schema: JsonSchema, payload: JsonText): Promise<SchemaVerdict | TaskFailure>;
  /** The secrets that a hook's references stand for now. */
  secretsOf(hook: Hook, references: SecretReference | readonly SecretReference[]): readonly string[];
  /** Whether an ownership check of the hook's app is answered with a secret that its signature uses too. */
  isAnsweredWith(hook: Hook, references: SecretReference | readonly SecretReference[]): boolean;
  verifyCaptcha(ask: CaptchaAsk, signal: AbortSignal): Promise<CaptchaVerdict>;
  publishEvent(event: BuiltEvent, signal: AbortSignal): Promise<PublishOutcome>;
  publishDeadLetter(letter: BuiltDeadLetter, signal: AbortSignal): Promise<PublishOutcome>;
  /** `data` of an event in the stream as JSON text, claim checks followed; undefined when it is gone. */
  storedData(sequence: number): Promise<string | undefined>;
  /** What was stored for a sender that will send it again, so that a late retry stores nothing twice. */
  rememberStored(eventId: EventId): void;
  newEventId(): EventId;
  /** Goes on with the trace that the sender brought, when it brought one. */
  newTraceparent(continued?: string): string;
  logFault(sentence: string, fields: { readonly requestId: string; readonly error: unknown }): void;
  /** How senders reach us, as they sign it. */
  readonly publicUrl: string;
  /** When a request has to be answered, counted from the end of its body. */
  deadline(): AbortSignal;
  readonly maxEventBytes: number;
  /** All fields of a multipart form together. */
  readonly maxFieldBytes: number;
  readonly objectBucket: string;
  readonly schemaSha256Of: (hook: Hook) => string | undefined;
}
