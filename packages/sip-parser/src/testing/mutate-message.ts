/**
 * Mutations of SIP messages by seed: start line, header lines, names and values, folds, lists, lengths, bodies, each as
 * what it is (RFC 3261 §7, §25.1), and now and then bytes without sense.
 */
import { Buffer } from 'node:buffer'
import { headerDefinitions } from '../headers/index'
import type { SeededGenerator } from './generator'
import { headerSamples } from './header-samples'
import { mutateBytes } from './mutate'
import { inflateText, mutateItems, mutateText, oddNumber } from './mutate-text'
import { mutateUriText } from './mutate-uri'

/** A message taken apart; wire text. The lines hold their folds and not their line ends. */
interface Draft {
  start: string
  lines: string[]
  body: string
  lineEnd: string
  /** False once Content-Length is wrong on purpose. */
  isLengthKept: boolean
}

type Change = (draft: Draft, generator: SeededGenerator, donors: readonly Uint8Array[]) => void

const methods = [
  'INVITE',
  'ACK',
  'BYE',
  'OPTIONS',
  'REGISTER',
  'invite',
  'X-NEW',
  "A.B!%*_+`'~",
  '',
  'IN VITE',
  'SIP',
  '\xe9',
]
const versions = [
  'SIP/2.0',
  'sip/2.0',
  'Sip/2.0',
  'SIP/3.0',
  'SIP/2.00',
  'SIP/02.0',
  'SIP/2',
  'HTTP/1.1',
  'SIP/2.0 ',
  '',
]
const statuses = [
  'SIP/2.0 200 OK',
  'SIP/2.0 200 ',
  'SIP/2.0 200',
  'SIP/2.0 100 \xc3\xa9',
  'SIP/2.0 4294967301 x',
  'SIP/2.0 99 x',
  'SIP/2.0 700 x',
  'SIP/2.0  200 x',
  'SIP/2.0 200 \0',
]
const badLines = [
  'no colon',
  ': no name',
  ' : x',
  'a b: c',
  '\xe9: x',
  '\0',
  ' fold',
  '\tfold',
  'X :y',
  'X\t: y',
  'X:',
  'x\r: y',
  `${'n'.repeat(255)}: y`,
  `${'n'.repeat(256)}: y`,
]

const changes: readonly Change[] = [
  ...Array.from({ length: 8 }, () => changeValue),
  changeStartLine,
  changeStartLine,
  changeLines,
  changeLines,
  splice,
  splice,
  splice,
  (draft, generator) => insertLine(draft, generator, generator.pick(headerSamples).join(': ')),
  (draft, generator) => insertLine(draft, generator, generator.pick(headerSamples).join(': ')),
  (draft, generator) => insertLine(draft, generator, generator.pick(badLines)),
  rename,
  fold,
  joinOrSplit,
  (draft, generator) => changeLine(draft, generator, (name) => `${name}:`),
  changeLength,
  changeBody,
  changeAddress,
]

/** A changed message, now and then grown to some 60 KB. The input is left alone. */
export function mutateMessage(
  bytes: Uint8Array,
  generator: SeededGenerator,
  donors: readonly Uint8Array[] = [],
): Uint8Array {
  if (generator.once(12)) return mutateBytes(bytes, generator)
  const draft = takeApart(bytes)
  for (let round = generator.between(1, 5); round > 0; round -= 1) generator.pick(changes)(draft, generator, donors)
  if (generator.once(150)) inflate(draft, generator)
  if (generator.once(40)) draft.lineEnd = generator.pick(['\n', '\r', '\r\n ', '\r\r\n', '\n\r'])
  const whole = Buffer.from(putTogether(draft), 'latin1')
  return generator.once(30) ? mutateBytes(whole, generator) : whole
}

function takeApart(bytes: Uint8Array): Draft {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  const stop = text.indexOf('\r\n\r\n')
  const head = stop < 0 ? text : text.slice(0, stop)
  const [start = '', ...lines] = head.split(/\r\n(?![ \t])/)
  return { start, lines, body: stop < 0 ? '' : text.slice(stop + 4), lineEnd: '\r\n', isLengthKept: true }
}

function putTogether(draft: Draft): string {
  const lengthAt = draft.lines.findIndex((line) => /^(content-length|l)[ \t]*:/i.test(line))
  if (draft.isLengthKept && lengthAt >= 0) draft.lines[lengthAt] = `Content-Length: ${draft.body.length}`
  return [draft.start, ...draft.lines, '', draft.body].join(draft.lineEnd)
}

function changeLine(draft: Draft, generator: SeededGenerator, change: (name: string, value: string) => string): void {
  if (draft.lines.length === 0) return
  const at = generator.below(draft.lines.length)
  const line = draft.lines[at]!
  const colon = line.indexOf(':')
  if (/^(content-length|l)[ \t]*:/i.test(line)) draft.isLengthKept = false
  draft.lines[at] = colon < 0 ? change('', line) : change(line.slice(0, colon), line.slice(colon + 1))
}

function changeLines(draft: Draft, generator: SeededGenerator): void {
  draft.lines = mutateItems(draft.lines, generator)
}

function insertLine(draft: Draft, generator: SeededGenerator, line: string): void {
  draft.lines.splice(generator.below(draft.lines.length + 1), 0, line)
}

function changeValue(draft: Draft, generator: SeededGenerator): void {
  changeLine(draft, generator, (name, value) => {
    let changed = value
    for (let round = generator.between(1, 3); round > 0; round -= 1) changed = mutateText(changed, generator)
    return `${name}:${changed}`
  })
}

/** Changes the first URI of a value as a URI. */
function changeAddress(draft: Draft, generator: SeededGenerator): void {
  changeLine(draft, generator, (name, value) => {
    const found = /(?:sips?|tel|urn):[^>\s,"]*/i.exec(value)
    if (found === null) return `${name}:${mutateText(value, generator)}`
    const after = found.index + found[0].length
    return `${name}:${value.slice(0, found.index)}${mutateUriText(found[0], generator)}${value.slice(after)}`
  })
}

function changeStartLine(draft: Draft, generator: SeededGenerator): void {
  const [first = '', second = '', ...rest] = draft.start.split(' ')
  const third = rest.join(' ')
  switch (generator.below(6)) {
    case 0:
      draft.start = [generator.pick(methods), second, third].join(' ')
      break
    case 1:
      draft.start = [first, second, generator.pick(versions)].join(' ')
      break
    case 2:
      draft.start = generator.pick(statuses)
      break
    case 3:
      draft.start = [
        first,
        generator.pick([`<${second}>`, '', `${second} x`, `${second}?a=b`, `\t${second}`]),
        third,
      ].join(' ')
      break
    case 4:
      draft.start = [first, mutateUriText(second, generator), third].join(' ')
      break
    default:
      draft.start = mutateText(draft.start, generator)
  }
}

/** Takes lines, a value or the start line from another message. */
function splice(draft: Draft, generator: SeededGenerator, donors: readonly Uint8Array[]): void {
  if (donors.length === 0) return
  const donor = takeApart(generator.pick(donors))
  if (generator.once(8)) draft.start = donor.start
  if (generator.once(8)) draft.body = donor.body
  if (donor.lines.length === 0) return
  const line = generator.pick(donor.lines)
  if (generator.once(2)) insertLine(draft, generator, line)
  else changeLine(draft, generator, (name) => `${name}:${line.slice(line.indexOf(':') + 1)}`)
}

/** Another name for the same value: long, compact, in another case, with a space, or that of another header. */
function rename(draft: Draft, generator: SeededGenerator): void {
  changeLine(draft, generator, (name, value) => {
    const lower = name.trim().toLowerCase()
    const known = headerDefinitions.find(({ name: long, compact }) => long.toLowerCase() === lower || compact === lower)
    const other = generator.pick(headerDefinitions)
    const names = [
      known?.compact,
      known?.name,
      known?.compact?.toUpperCase(),
      lower,
      name.toUpperCase(),
      `${name} `,
      other.name,
      other.compact,
    ]
    return `${generator.pick(names) ?? name}:${value}`
  })
}

function fold(draft: Draft, generator: SeededGenerator): void {
  changeLine(draft, generator, (name, value) => {
    const places = [...value.matchAll(/[ \t]+/g)]
    const sign = generator.pick(['\r\n ', '\r\n\t', '\r\n  \r\n ', '\n ', '\r\n'])
    const at =
      places.length > 0 && !generator.once(4) ? generator.pick(places).index : generator.below(value.length + 1)
    return `${name}:${value.slice(0, at)}${sign}${value.slice(at).trimStart()}`
  })
}

/** Two lines of one header become one list, or a list two lines (RFC 3261 §7.3.1). */
function joinOrSplit(draft: Draft, generator: SeededGenerator): void {
  const at = generator.below(draft.lines.length)
  const line = draft.lines[at]
  if (line === undefined) return
  const colon = line.indexOf(':')
  const name = line.slice(0, colon).toLowerCase()
  const other = draft.lines.findIndex(
    (candidate, place) => place !== at && candidate.toLowerCase().startsWith(`${name}:`),
  )
  if (other >= 0) {
    const [removed = ''] = draft.lines.splice(other, 1)
    draft.lines[at > other ? at - 1 : at] = `${line},${removed.slice(colon + 1)}`
    return
  }
  const comma = line.indexOf(',', colon)
  if (comma < 0) draft.lines[at] = `${line}${generator.pick([',', ', ', ',,', ` ,${line.slice(colon + 1)}`])}`
  else draft.lines.splice(at, 1, line.slice(0, comma), `${line.slice(0, colon + 1)}${line.slice(comma + 1)}`)
}

/** A Content-Length that is wrong: off by a little, odd, doubled, gone or in its compact form. */
function changeLength(draft: Draft, generator: SeededGenerator): void {
  draft.isLengthKept = false
  const { length } = draft.body
  const others = draft.lines.filter((line) => !/^(content-length|l)[ \t]*:/i.test(line))
  const off = generator.pick([-1, 1, 2, -length])
  const odd = oddNumber(generator)
  const values = [`${length + off}`, odd, odd, odd, `${length},${length}`, ` ${length} `, `\r\n ${length}`, '']
  switch (generator.below(4)) {
    case 0:
      draft.lines = others
      break
    case 1:
      insertLine(draft, generator, `${generator.pick(['l', 'L', 'Content-Length', 'content-LENGTH '])}: ${length}`)
      break
    default:
      draft.lines = [...others, `${generator.pick(['l', 'Content-Length'])}:${generator.pick(values)}`]
  }
}

function changeBody(draft: Draft, generator: SeededGenerator): void {
  const { body } = draft
  const boundary = generator.pick(['b', 'a b', '-', 'b'.repeat(70), 'b'.repeat(71)])
  const part = `--${boundary}\r\nContent-Type: text/plain\r\n\r\n${body}\r\n`
  const bodies = [
    mutateText(body, generator),
    body + body,
    body.slice(0, generator.below(body.length + 1)),
    `\r\n${body}`,
    `${part}--${boundary}--\r\n`,
    part.repeat(generator.between(1, 9)),
    `${part}--${boundary}--\r\n${body}`,
  ]
  const chosen = generator.below(bodies.length)
  draft.body = bodies[chosen]!
  if (chosen >= 4) draft.lines.push(`Content-Type: multipart/mixed;boundary="${boundary}"`)
}

/** Grown by one long value, by many lines, by a long start line or by a large body. */
function inflate(draft: Draft, generator: SeededGenerator): void {
  const size = generator.between(1_000, 60_000)
  switch (generator.below(5)) {
    case 0: {
      const line =
        draft.lines.length === 0 || generator.once(3) ? generator.pick(badLines) : generator.pick(draft.lines)
      const count = Math.min(generator.pick([255, 256, 257, 5_000]), Math.ceil(size / (line.length + 2)))
      draft.lines.splice(generator.below(draft.lines.length + 1), 0, ...Array.from({ length: count }, () => line))
      break
    }
    case 1:
      draft.start = inflateText(draft.start, generator, size)
      break
    case 2:
      draft.body = inflateText(draft.body, generator, size)
      break
    default:
      changeLine(draft, generator, (name, value) => `${name}:${inflateText(value, generator, size)}`)
  }
}
