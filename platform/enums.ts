/** Enumerations are stored in lower case (domain.md §1.5) and named in upper case by GraphQL. */

/** The stored form of a GraphQL enum value: "PARTIALLY_FILLED" → "partially_filled". */
export function stored<Name extends string>(name: Name): Lowercase<Name> {
  return name.toLowerCase() as Lowercase<Name>;
}

/** The GraphQL enum value of a stored form: "partially_filled" → "PARTIALLY_FILLED". */
export function shown<Value extends string>(value: Value): Uppercase<Value> {
  return value.toUpperCase() as Uppercase<Value>;
}
