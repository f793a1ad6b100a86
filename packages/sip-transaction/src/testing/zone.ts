/**
 * Zone files as text (RFC 1035 §5.1, RFC 2782, RFC 3403): the small part of the format that locating SIP servers needs.
 */
import type { NaptrRecord, SrvRecord } from '../ports'

/** The data of one record, by its type. */
export type ZoneData =
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
  | { readonly type: 'CNAME'; readonly target: string }
  | ({ readonly type: 'SRV' } & SrvRecord)
  | ({ readonly type: 'NAPTR' } & NaptrRecord)

/** One record of a zone. Names are absolute, in lower case, without the dot at their end; the root is `.`. */
export interface ZoneRecord {
  readonly name: string
  readonly ttlSeconds: number
  readonly data: ZoneData
}

const defaultTtlSeconds = 300
/** Types that a zone may hold and a SIP stack never asks for. */
const passedOver: ReadonlySet<string> = new Set(['SOA', 'NS', 'TXT', 'MX', 'PTR', 'CAA'])

/**
 * Reads a zone file: `$ORIGIN`, `$TTL`, comments, parentheses over several lines, names left out, quoted strings; the
 * types A, AAAA, CNAME, SRV and NAPTR.
 * @throws Error for a line that it does not understand, with its text: a test's zone is to be right
 */
export function parseZone(text: string): readonly ZoneRecord[] {
  const records: ZoneRecord[] = []
  let origin = '.'
  let ttlSeconds = defaultTtlSeconds
  let owner = ''
  for (const { line, words, isIndented } of logicalLines(text)) {
    const [first = '', second = ''] = words
    if (first === '$ORIGIN') origin = absolute(second, '.')
    else if (first === '$TTL') ttlSeconds = secondsOf(second, line)
    else if (first.startsWith('$')) throw new Error(`The zone has a directive that is not understood: ${line}`)
    else {
      if (!isIndented) owner = absolute(words.shift() ?? '', origin)
      if (owner === '') throw new Error(`The zone has a record without a name: ${line}`)
      const record = readRecord(words, { owner, origin, ttlSeconds, line })
      if (record !== undefined) records.push(record)
    }
  }
  return records
}

interface LineContext {
  readonly owner: string
  readonly origin: string
  readonly ttlSeconds: number
  readonly line: string
}

function readRecord(words: string[], context: LineContext): ZoneRecord | undefined {
  let { ttlSeconds } = context
  // Class and time to live may come in either order, and both may be left out.
  while (words.length > 0 && (/^in$/i.test(words[0]!) || /^\d+[smhdw]?$/i.test(words[0]!))) {
    const word = words.shift()!
    if (!/^in$/i.test(word)) ttlSeconds = secondsOf(word, context.line)
  }
  const type = words.shift()?.toUpperCase() ?? ''
  if (passedOver.has(type)) return undefined
  const data = readData(type, words, context)
  return { name: context.owner, ttlSeconds, data }
}

function readData(type: string, words: readonly string[], { origin, line }: LineContext): ZoneData {
  const [one = '', two = '', three = '', four = '', five = '', six = ''] = words
  const whole = (word: string): number => {
    if (!/^\d{1,5}$/.test(word)) throw new Error(`The zone has no number where one belongs: ${line}`)
    return Number(word)
  }
  const expect = (count: number): void => {
    if (words.length !== count) throw new Error(`The zone has a ${type} record that is not understood: ${line}`)
  }
  if (type === 'A' || type === 'AAAA') {
    expect(1)
    return { type, address: one }
  }
  if (type === 'CNAME') {
    expect(1)
    return { type, target: absolute(one, origin) }
  }
  if (type === 'SRV') {
    expect(4)
    return { type, priority: whole(one), weight: whole(two), port: whole(three), target: absolute(four, origin) }
  }
  if (type !== 'NAPTR') throw new Error(`The zone has a record of a type that is not understood: ${line}`)
  expect(6)
  const replacement = absolute(six, origin)
  return { type, order: whole(one), preference: whole(two), flags: three, service: four, regexp: five, replacement }
}

function absolute(name: string, origin: string): string {
  if (name === '@') return origin
  if (name === '.') return name
  if (name.endsWith('.')) return name.slice(0, -1).toLowerCase()
  return (origin === '.' ? name : `${name}.${origin}`).toLowerCase()
}

function secondsOf(word: string, line: string): number {
  const [, digits, unit = ''] = /^(\d+)([smhdw]?)$/i.exec(word) ?? []
  if (digits === undefined) throw new Error(`The zone has no time where one belongs: ${line}`)
  const factor = { '': 1, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }[unit.toLowerCase()] ?? 1
  return Number(digits) * factor
}

/** Lines without comments, those in parentheses joined; words of quoted strings without their quotes. */
function logicalLines(text: string): { line: string; words: string[]; isIndented: boolean }[] {
  const lines: { line: string; words: string[]; isIndented: boolean }[] = []
  let depth = 0
  for (const line of text.split(/\r?\n/)) {
    const words = depth > 0 ? lines.at(-1)!.words : []
    const before = words.length
    const wasOpen = depth > 0
    for (const [token] of line.matchAll(/"(?:[^"\\]|\\.)*"|;.*$|[()]|[^\s();"]+/g)) {
      if (token.startsWith(';')) break
      if (token === '(') depth += 1
      else if (token === ')') depth -= 1
      else words.push(token.startsWith('"') ? token.slice(1, -1).replace(/\\(.)/g, '$1') : token)
    }
    if (!wasOpen && words.length > before) lines.push({ line: line.trim(), words, isIndented: /^\s/.test(line) })
  }
  return lines
}
