/** Lengths of texts a caller gives. */

export const ID_LENGTH = 255;
export const NAME_LENGTH = 100;
