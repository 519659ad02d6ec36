/** Lengths of the texts a caller gives, in characters. */
export const ID_LENGTH = 255;
export const NAME_LENGTH = 255;
export const NOTE_LENGTH = 2_000;
