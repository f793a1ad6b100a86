/** For which telephone numbers a certificate is good: the extension TNAuthList of RFC 8226 §9. Pure. */
import { tnEntriesMax } from '../limits'
import { readExtension } from './certificate-extensions'
import { type DerElement, readDer, readDerList } from './der-reader'

/** The numbers from one on; all have its length. */
export interface TnRange {
  readonly start: string
  readonly count: number
}

/** What a TNAuthList names. */
export class TnAuthorization {
  constructor(
    /** Service provider codes: for the numbers of a provider, whichever they are. */
    readonly spcs: readonly string[],
    readonly ranges: readonly TnRange[],
    readonly numbers: readonly string[],
  ) {}

  /** Whether a number, without its `+`, is named; undefined where providers are, for only the network knows their numbers. */
  covers(number: string): boolean | undefined {
    const isNamed = this.numbers.includes(number) || this.ranges.some((range) => isWithin(number, range))
    return isNamed || this.spcs.length === 0 ? isNamed : undefined
  }
}

const [sequenceTag, integerTag, textTag] = [0x30, 0x02, 0x16]
const [spcTag, rangeTag, oneTag] = [0xa0, 0xa1, 0xa2]
/** 1.3.6.1.5.5.7.1.26 */
const tnAuthListId = Buffer.from([0x2b, 6, 1, 5, 5, 7, 1, 26])
const telephone = /^[0-9*#]{1,15}$/

/**
 * Reads the extension of a certificate.
 * @param certificate its DER
 * @returns `none` without the extension; undefined when it cannot be read
 */
export function readTnAuthList(certificate: Uint8Array): TnAuthorization | 'none' | undefined {
  const value = readExtension(certificate, tnAuthListId)
  return value === undefined || value === 'none' ? value : readEntries(value)
}

function readEntries(bytes: Uint8Array): TnAuthorization | undefined {
  const list = readDer(bytes)
  const entries = list?.tag === sequenceTag ? readDerList(list.content, tnEntriesMax) : undefined
  if (entries === undefined || entries.length === 0) return undefined
  const spcs: string[] = []
  const ranges: TnRange[] = []
  const numbers: string[] = []
  for (const { tag, content } of entries) {
    const inner = readDer(content)
    const text = textOf(inner)
    const range = rangeOf(inner)
    if (tag === spcTag && text !== undefined) spcs.push(text)
    else if (tag === oneTag && text !== undefined && telephone.test(text)) numbers.push(text)
    else if (tag === rangeTag && range !== undefined) ranges.push(range)
    else return undefined
  }
  return new TnAuthorization(spcs, ranges, numbers)
}

function textOf(element: DerElement | undefined): string | undefined {
  return element?.tag === textTag ? Buffer.from(element.content).toString('latin1') : undefined
}

function rangeOf(element: DerElement | undefined): TnRange | undefined {
  const parts = element?.tag === sequenceTag ? readDerList(element.content, 2) : undefined
  const start = textOf(parts?.[0])
  const count = parts?.[1]
  if (start === undefined || !telephone.test(start) || count?.tag !== integerTag) return undefined
  const { content } = count
  if (content.length === 0 || content.length > 6 || (content[0] ?? 128) >= 128) return undefined
  const value = Buffer.from(content).readUIntBE(0, content.length)
  return value < 2 ? undefined : { start, count: value }
}

function isWithin(number: string, { start, count }: TnRange): boolean {
  if (number.length !== start.length || !/^[0-9]+$/.test(number)) return false
  const [value, first] = [BigInt(number), BigInt(start.replace(/[*#]/g, '0'))]
  return number >= start && value < first + BigInt(count)
}
