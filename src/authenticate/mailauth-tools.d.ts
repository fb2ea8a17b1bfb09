/** What mailauth 7.1.0 declares no types for. */
declare module "mailauth/lib/tools.js" {
  /** The key record `name`; rejects with `code` as its result. `publicKey` is PEM. */
  export function getPublicKey(
    type: "DKIM",
    name: string,
    minBitLength: number,
    resolver: (name: string, type: string) => Promise<unknown[]>,
    options: { readonly hashAlgo: string },
  ): Promise<{ readonly publicKey: string }>;
}
