import { X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { createSecureContext } from "node:tls";

import { OperatorError } from "../model/operator-error.ts";
import type { Log } from "../telemetry/log.ts";

export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** How often the files are looked at: tools renew them in place, by rename or behind a symbolic link. */
const LOOK_EVERY_MS = 1_000;

/** The certificate in use, kept up with its files. */
export class LiveCertificate implements Disposable {
  current: Certificate;
  /** Called with each certificate that takes the place of the one before. */
  onChange: (certificate: Certificate) => void = () => undefined;
  readonly #files: CertificateFiles;
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;
  readonly #onHangUp = () => this.#look(true);
  #seen: string;
  #ends: { readonly of: Certificate; readonly at: number } | undefined;
  #looking: Promise<void> = Promise.resolve();

  private constructor(current: Certificate, seen: string, files: CertificateFiles, log: Log) {
    this.current = current;
    this.#seen = seen;
    this.#files = files;
    this.#log = log;
    this.#timer = setInterval(() => this.#look(false), LOOK_EVERY_MS).unref();
    process.on("SIGHUP", this.#onHangUp);
  }

  /** Reads the files and watches them. Throws `OperatorError` (exit code 78) when they hold no certificate and its key. */
  static async open(files: CertificateFiles, log: Log): Promise<LiveCertificate> {
    const seen = await stampOf(files);
    try {
      return new LiveCertificate(await readCertificate(files), seen, files, log);
    } catch (error) {
      throw new OperatorError(
        `the TLS certificate or key cannot be used: ${error instanceof Error ? error.message : String(error)}`,
        "check POSTHORN_TLS_CERT and POSTHORN_TLS_KEY",
        { cause: error, exitCode: 78 },
      );
    }
  }

  /** When the first of its file ends, milliseconds since the epoch: the chain behind it outlives it. */
  get endsAt(): number {
    if (this.#ends?.of !== this.current)
      this.#ends = { of: this.current, at: Date.parse(new X509Certificate(this.current.cert).validTo) };
    return this.#ends.at;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    process.off("SIGHUP", this.#onHangUp);
  }

  /** One look after the other, so that an older one never takes the place of a newer one. */
  #look(evenIfUnchanged: boolean): void {
    this.#looking = this.#looking
      .then(() => this.#reload(evenIfUnchanged))
      .catch((error: unknown) => {
        this.#log.error("The TLS certificate could not be looked at", { error });
      });
  }

  async #reload(evenIfUnchanged: boolean): Promise<void> {
    const stamp = await stampOf(this.#files);
    if (stamp === this.#seen && !evenIfUnchanged) return;
    try {
      this.current = await readCertificate(this.#files);
    } catch (error) {
      // Halfway through a renewal the key is not the certificate's; the next change of either file is looked at again.
      if (stamp !== this.#seen || evenIfUnchanged)
        this.#log.warn("The new TLS certificate cannot be used; the old one stays", { error });
      this.#seen = stamp;
      return;
    }
    this.#seen = stamp;
    this.onChange(this.current);
    this.#log.info("The TLS certificate was loaded again");
  }
}

/** Throws when the files cannot be read, or the key is not the certificate's. */
async function readCertificate({ certFile, keyFile }: CertificateFiles): Promise<Certificate> {
  const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)]);
  createSecureContext({ cert, key });
  return { cert, key };
}

/** Changes when either file does, or what a link leads to. */
async function stampOf({ certFile, keyFile }: CertificateFiles): Promise<string> {
  const stamps = await Promise.all(
    [certFile, keyFile].map(async (file) => {
      const { ino, size, mtimeMs } = await stat(file).catch(() => ({ ino: 0, size: 0, mtimeMs: 0 }));
      return `${ino} ${size} ${mtimeMs}`;
    }),
  );
  return stamps.join(" ");
}
