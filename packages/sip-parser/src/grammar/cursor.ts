/** Where a codec stopped: after the element it read, at a comma or the end. Read it before calling another codec. */
export const cursor = { next: 0 }
