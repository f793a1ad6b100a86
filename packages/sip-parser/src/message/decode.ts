/**
 * Between the header index and the codecs: finds the lines of a header, removes folds, splits lists (RFC 3261 §7.3.1)
 * and turns a codec's failure into a SipHeaderError with the offset in the message.
 */
import { type Problem, type ProblemCode, problem, SipHeaderError } from '../errors'
import { skipSpace, trimSpace } from '../grammar/chars'
import { cursor } from '../grammar/cursor'
import { DecodeFailure } from '../grammar/failure'
import { loadWire, type Wire, wireOf } from '../grammar/wire'
import { type Codec, headerDefinition } from '../headers/index'
import { decodeTokenElement, readPlainTokens } from '../headers/lists'
import { headerElementsMax } from '../limits'
import { findId, flattenFolds, type HeaderIndex, isFoldedAt, stride, valueEndAt, valueStartAt } from './header-list'
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
  let entry = findId(source.index, headerId)
  if (entry < 0) return noValues
  let values: T[] | undefined
  while (entry >= 0) {
    try {
      values = readLine(source, headerId, entry, codec, isWhole, values)
    } catch (thrown) {
      throw translate(source, headerId, thrown, lineBase(source, entry))
    }
    entry = findId(source.index, headerId, entry + stride)
  }
  if (values === undefined) return noValues
  // A list that has grown keeps room for many more; the copy keeps none.
  return values.length > 1 ? values.slice() : values
}

const noValues: readonly never[] = Object.freeze([])

/** What is wrong with one header line; undefined when nothing is. A thousand bad lines cost no thousand errors. */
export function lineProblem(
  source: DecodeSource,
  headerId: number,
  entry: number,
  codec: Codec<unknown>,
  isWhole: boolean,
): Problem | undefined {
  try {
    readLine(source, headerId, entry, codec, isWhole, undefined)
    return undefined
  } catch (thrown) {
    if (!(thrown instanceof DecodeFailure)) throw thrown
    return headerProblem(source, headerId, thrown.code, thrown.at + lineBase(source, entry))
  }
}

/**
 * The values of one header line after those of the lines before it, in one array; undefined while there are none. Throws
 * DecodeFailure with positions that count from {@link lineBase}.
 */
function readLine<T>(
  source: DecodeSource,
  headerId: number,
  entry: number,
  codec: Codec<T>,
  isWhole: boolean,
  values: T[] | undefined,
): T[] | undefined {
  const { index, leniency } = source
  const valueStart = valueStartAt(index, entry)
  const valueEnd = valueEndAt(index, entry)
  const isFolded = isFoldedAt(index, entry)
  const base = isFolded ? valueStart : 0
  const wire = isFolded
    ? wireOf(flattenFolds(source.text, valueStart, valueEnd))
    : loadWire(source.text, source.bodyStart)
  const start = skipSpace(wire, valueStart - base, valueEnd - base)
  const end = trimSpace(wire, start, valueEnd - base)
  if (isWhole) return added(values, codec(wire, start, end, leniency))
  if (codec === (decodeTokenElement as unknown)) {
    const tokens = readPlainTokens(wire, start, end, headerElementsMax - (values?.length ?? 0))
    if (tokens !== undefined) return values === undefined ? (tokens as T[]) : values.concat(tokens as T[])
  }
  return splitLine(wire, start, end, leniency, codec, values, headerDefinition(headerId).mayBeEmpty === true)
}

/** An array of one value keeps no room for more. */
function added<T>(values: T[] | undefined, value: T): T[] {
  if (values === undefined) return [value]
  values.push(value)
  return values
}

/** A folded value is read from a text of its own. */
function lineBase(source: DecodeSource, entry: number): number {
  return isFoldedAt(source.index, entry) ? valueStartAt(source.index, entry) : 0
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
  const valueStart = valueStartAt(source.index, entry)
  const valueEnd = valueEndAt(source.index, entry)
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
  already: T[] | undefined,
  mayBeEmpty: boolean,
): T[] | undefined {
  let values = already
  if (start === end) {
    if (mayBeEmpty || leniency.emptyElements) return values
    throw new DecodeFailure('HEADER_EMPTY', start)
  }
  let position = start
  for (;;) {
    position = skipSpace(wire, position, end)
    if (position >= end || wire.bytes[position] === 0x2c) {
      if (!leniency.emptyElements) throw new DecodeFailure('EMPTY_ELEMENT', position)
    } else {
      if (values !== undefined && values.length >= headerElementsMax)
        throw new DecodeFailure('TOO_MANY_ELEMENTS', position)
      values = added(values, codec(wire, position, end, leniency))
      position = cursor.next
    }
    if (position >= end) return values
    position += 1
  }
}

function translate(source: DecodeSource, headerId: number, thrown: unknown, base: number): unknown {
  if (!(thrown instanceof DecodeFailure)) return thrown
  return headerError(source, headerId, thrown.code, thrown.at + base)
}

function headerError(source: DecodeSource, headerId: number, code: ProblemCode, offset: number): SipHeaderError {
  return new SipHeaderError(headerProblem(source, headerId, code, offset))
}

function headerProblem(source: DecodeSource, headerId: number, code: ProblemCode, offset: number): Problem {
  return problem(code, offset, headerDefinition(headerId).name, source.kind === 'response')
}
