/**
 * Between the header index and the codecs: finds the lines of a header, removes folds, splits lists (RFC 3261 §7.3.1)
 * and turns a codec's failure into a SipHeaderError with the offset in the message.
 */
import { type ProblemCode, problem, SipHeaderError } from '../errors'
import { skipSpace, trimSpace } from '../grammar/chars'
import { cursor } from '../grammar/cursor'
import { DecodeFailure } from '../grammar/failure'
import { loadWire, type Wire, wireOf } from '../grammar/wire'
import { type Codec, headerDefinition } from '../headers/index'
import { headerElementsMax } from '../limits'
import { findId, flattenFolds, type HeaderIndex, isFoldedAt, stride } from './header-list'
import type { Leniency } from './leniency'

/** What decoding needs of a message. */
export interface DecodeSource {
  readonly kind: 'request' | 'response'
  readonly text: string
  readonly index: HeaderIndex
  /** Where the head ends. */
  readonly bodyStart: number
  readonly leniency: Leniency
}

/** The first value of a mandatory header. Throws SipHeaderError HEADER_MISSING when it is absent. */
export function decodeRequired<T>(source: DecodeSource, headerId: number, codec: Codec<T>): T {
  const entry = findId(source.index, headerId)
  if (entry < 0) throw headerError(source, headerId, 'HEADER_MISSING', 0)
  return decodeEntry(source, headerId, entry, codec)
}

/** The first value of a header, or undefined when it is absent. */
export function decodeFirst<T>(source: DecodeSource, headerId: number, codec: Codec<T>): T | undefined {
  const entry = findId(source.index, headerId)
  return entry < 0 ? undefined : decodeEntry(source, headerId, entry, codec)
}

/** Every value of a header, over all its lines; with `isWhole` each line is one value. */
export function decodeList<T>(source: DecodeSource, headerId: number, codec: Codec<T>, isWhole = false): readonly T[] {
  const values: T[] = []
  let entry = findId(source.index, headerId)
  while (entry >= 0) {
    decodeLine(source, headerId, entry, codec, isWhole, values)
    entry = findId(source.index, headerId, entry + stride)
  }
  // A list that has grown keeps room for many more; the copy keeps none.
  return values.slice()
}

/** Adds the values of one header line to `values`. */
export function decodeLine<T>(
  source: DecodeSource,
  headerId: number,
  entry: number,
  codec: Codec<T>,
  isWhole: boolean,
  values: T[],
): void {
  const valueStart = source.index[entry + 2]!
  const valueEnd = source.index[entry + 3]!
  const isFolded = isFoldedAt(source.index, entry)
  const wire = isFolded
    ? wireOf(flattenFolds(source.text, valueStart, valueEnd))
    : loadWire(source.text, source.bodyStart)
  const base = isFolded ? valueStart : 0
  const start = skipSpace(wire, valueStart - base, valueEnd - base)
  const end = trimSpace(wire, start, valueEnd - base)
  try {
    if (isWhole) values.push(codec(wire, start, end, source.leniency))
    else splitLine(wire, start, end, source.leniency, codec, values, headerDefinition(headerId).mayBeEmpty === true)
  } catch (thrown) {
    throw translate(source, headerId, thrown, base)
  }
}

/** Runs a start line's codec; its failures become a SipHeaderError. */
export function startLineError<T>(run: () => T): T {
  try {
    return run()
  } catch (thrown) {
    if (!(thrown instanceof DecodeFailure)) throw thrown
    throw new SipHeaderError(problem('REQUEST_URI_INVALID', thrown.at))
  }
}

function decodeEntry<T>(source: DecodeSource, headerId: number, entry: number, codec: Codec<T>): T {
  const valueStart = source.index[entry + 2]!
  const valueEnd = source.index[entry + 3]!
  if (isFoldedAt(source.index, entry)) return decodeFolded(source, headerId, valueStart, valueEnd, codec)
  try {
    return codec(loadWire(source.text, source.bodyStart), valueStart, valueEnd, source.leniency)
  } catch (thrown) {
    throw translate(source, headerId, thrown, 0)
  }
}

function decodeFolded<T>(source: DecodeSource, headerId: number, start: number, end: number, codec: Codec<T>): T {
  const wire = wireOf(flattenFolds(source.text, start, end))
  const length = end - start
  const from = skipSpace(wire, 0, length)
  try {
    return codec(wire, from, trimSpace(wire, from, length), source.leniency)
  } catch (thrown) {
    throw translate(source, headerId, thrown, start)
  }
}

function splitLine<T>(
  wire: Wire,
  start: number,
  end: number,
  leniency: Leniency,
  codec: Codec<T>,
  values: T[],
  mayBeEmpty: boolean,
): void {
  if (start === end) {
    if (mayBeEmpty || leniency.emptyElements) return
    throw new DecodeFailure('HEADER_EMPTY', start)
  }
  let position = start
  for (;;) {
    position = skipSpace(wire, position, end)
    if (position >= end || wire.bytes[position] === 0x2c) {
      if (!leniency.emptyElements) throw new DecodeFailure('EMPTY_ELEMENT', position)
    } else {
      if (values.length >= headerElementsMax) throw new DecodeFailure('TOO_MANY_ELEMENTS', position)
      values.push(codec(wire, position, end, leniency))
      position = cursor.next
    }
    if (position >= end) return
    position += 1
  }
}

function translate(source: DecodeSource, headerId: number, thrown: unknown, base: number): unknown {
  if (!(thrown instanceof DecodeFailure)) return thrown
  return headerError(source, headerId, thrown.code, thrown.at + base)
}

function headerError(source: DecodeSource, headerId: number, code: ProblemCode, offset: number): SipHeaderError {
  return new SipHeaderError(problem(code, offset, headerDefinition(headerId).name, source.kind === 'response'))
}
