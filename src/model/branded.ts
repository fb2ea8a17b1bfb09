declare const brand: unique symbol;

/** A `T` that only the function beside its type can make, so that two kinds of string are never mixed up. */
export type Branded<T, Name extends string> = T & { readonly [brand]: Name };
