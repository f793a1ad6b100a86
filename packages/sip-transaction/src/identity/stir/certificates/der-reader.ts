/** Reads DER (X.690 §8, §10), as far as certificates have it: definite lengths in their shortest form, tags of one byte. Pure. */

/** One element: its tag, and where its content stands. */
export interface DerElement {
  readonly tag: number
  readonly content: Uint8Array
}

/** The one element that fills the bytes; undefined when they are anything else. */
export function readDer(bytes: Uint8Array): DerElement | undefined {
  const read = elementAt(bytes, 0)
  return read === undefined || read.next !== bytes.length ? undefined : read.element
}

/** The elements that fill the bytes; undefined when something else does, or when there are more than `countMax`. */
export function readDerList(bytes: Uint8Array, countMax: number): readonly DerElement[] | undefined {
  const elements: DerElement[] = []
  for (let at = 0; at < bytes.length; ) {
    const read = elementAt(bytes, at)
    if (read === undefined || elements.length >= countMax) return undefined
    elements.push(read.element)
    at = read.next
  }
  return elements
}

function elementAt(bytes: Uint8Array, at: number): { readonly element: DerElement; readonly next: number } | undefined {
  const tag = bytes[at]
  const first = bytes[at + 1]
  if (tag === undefined || first === undefined || (tag & 31) === 31) return undefined
  let start = at + 2
  let length = first
  if (first >= 128) {
    const count = first & 127
    if (count === 0 || count > 3) return undefined
    length = 0
    for (let index = 0; index < count; index += 1) length = length * 256 + (bytes[start + index] ?? 0)
    start += count
    if (length < 128 || length < 256 ** (count - 1)) return undefined
  }
  const next = start + length
  return next > bytes.length ? undefined : { element: { tag, content: bytes.subarray(start, next) }, next }
}
