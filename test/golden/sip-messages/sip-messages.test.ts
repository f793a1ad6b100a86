/**
 * Golden files of SIP messages. Each Markdown file holds a message (Message: a line of the block is a line of the message
 * with CRLF; `\xHH` is one byte, `\` at the end of the last line means that no line end follows) or a piece of a stream
 * (Stream, written alike), and what the parser makes of it (Verdict): a caret under the place of each problem, then what the
 * typed getters give. With Options `leniency: …` the verdict is strict first and then with those switches. Run with
 * CARILLON_WRITE=1 to write the Verdict sections anew; read the difference before keeping it.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  bodyOf,
  Challenge,
  Credentials,
  inspectMessage,
  type Leniency,
  leafParts,
  NameAddr,
  type Problem,
  SipHeaderError,
  type SipMessage,
  SipMessageBase,
  SipUri,
  StreamFramer,
  strict,
  tolerant,
  type Uri,
  Via,
} from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'

const folder = fileURLToPath(new URL('.', import.meta.url))
const names = readdirSync(folder).filter((name) => name.endsWith('.md'))
const isWriting = process.env.CARILLON_WRITE === '1'

/** Getters that are no header, or say again what another one says. */
const leftOut = new Set(['head', 'body', 'bodyLength', 'via', 'contactStar', 'contentLength', 'text', 'index'])
const getters = getterNames()

function getterNames(): readonly string[] {
  const names: string[] = []
  for (let at: object = SipMessageBase.prototype; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(at)))
      if (get !== undefined && !leftOut.has(name)) names.push(name)
  }
  return names
}

function optionalBlock(text: string, heading: string): string | undefined {
  return new RegExp(`^## ${heading}\\n+\`\`\`\\w*\\n([\\s\\S]*?)\`\`\``, 'm').exec(text)?.[1]
}

function block(text: string, heading: string): string {
  const content = optionalBlock(text, heading)
  if (content === undefined) throw new Error(`no block under "${heading}"`)
  return content
}

function toBytes(lines: string): Uint8Array {
  const text = lines.endsWith('\\\n') ? lines.slice(0, -2) : lines
  const pieces = text.replaceAll('\n', '\r\n').split(/(\\x[0-9a-f]{2})/i)
  return Buffer.concat(
    pieces.map((piece) =>
      /^\\x[0-9a-f]{2}$/i.test(piece) ? Buffer.from(piece.slice(2), 'hex') : Buffer.from(piece, 'utf8'),
    ),
  )
}

/** Parts rather than text, so that a file shows where the parser saw the borders. */
function shown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shown)
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, item]) => [name, shown(item)]))
  if (value instanceof SipUri) return uriParts(value)
  if (value === null || typeof value !== 'object') return value
  if (Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, shown(item)]))
  }
  const hasParts = [NameAddr, Via, Challenge, Credentials].some((kind) => value instanceof kind) || 'subtype' in value
  return hasParts ? partsOf(value) : String(value)
}

function partsOf(value: object): object {
  const parts: Record<string, unknown> = {}
  for (const name of [
    'protocol',
    'transport',
    'host',
    'port',
    'displayName',
    'uri',
    'scheme',
    'type',
    'subtype',
    'params',
  ]) {
    const part = (value as Record<string, unknown>)[name]
    if (part !== undefined && !(part instanceof Map && part.size === 0)) parts[name] = shown(part)
  }
  return parts
}

function uriParts(uri: Uri): unknown {
  if (!(uri instanceof SipUri)) return uri.toString()
  const { scheme, user, host, port, params, headers } = uri
  const parts = { scheme, user, host, port, params: shown(params), headers: shown(headers) }
  return Object.fromEntries(
    Object.entries(parts).filter(([, part]) => part !== undefined && JSON.stringify(part) !== '{}'),
  )
}

/** What a getter gives, or the code of the problem that keeps it from giving it. */
function got(message: SipMessage, name: string): unknown {
  try {
    const value = (message as unknown as Record<string, unknown>)[name]
    return Array.isArray(value) && value.length === 0 ? undefined : shown(value)
  } catch (thrown) {
    if (!(thrown instanceof SipHeaderError)) throw thrown
    return { problem: thrown.code }
  }
}

function decoded(message: SipMessage): object {
  const own = message.kind === 'request' ? ['method', 'uri'] : ['status', 'reason']
  const values: Record<string, unknown> = {}
  for (const name of [...own, ...getters]) values[name] = got(message, name)
  if (message.contactStar) values.contactStar = true
  const body = bodyOf(message)
  if (body?.ok === false) values.parts = { problem: body.error.code }
  if (body?.ok && body.value.parts.length > 0) {
    values.parts = leafParts(body.value).map(({ contentType, disposition, offset, bytes }) => ({
      contentType: String(contentType),
      disposition: String(disposition),
      offset,
      bytes: bytes.length,
    }))
  }
  return { ...values, bodyBytes: message.bodyLength }
}

function printable(bytes: Uint8Array): string {
  const escaped = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`
  return [...bytes].map((byte) => (byte < 0x20 || byte > 0x7e ? escaped(byte) : String.fromCharCode(byte))).join('')
}

/** The line with a caret under the place. */
function caret(bytes: Uint8Array, offset: number): readonly string[] {
  let start = offset
  while (start > 0 && bytes[start - 1] !== 0x0a) start -= 1
  let end = offset
  while (end < bytes.length && bytes[end] !== 0x0d && bytes[end] !== 0x0a) end += 1
  return [
    `  ${printable(bytes.subarray(start, end))}`,
    `  ${' '.repeat(printable(bytes.subarray(start, offset)).length)}^`,
  ]
}

function problemLines(bytes: Uint8Array, found: Problem): readonly string[] {
  const header = found.header === undefined ? '' : ` ${found.header}:`
  return [
    `${found.offset}: ${found.layer}: ${found.code} (${found.suggestedStatus}):${header} ${found.sentence}`,
    ...caret(bytes, found.offset),
  ]
}

/** Lines that are not written as they came. */
function rewritten(bytes: Uint8Array, message: SipMessage): readonly string[] {
  const [before, after] = [Buffer.from(bytes).toString('latin1'), message.toBytes().toString('latin1')]
  if (before.startsWith(after)) return []
  const came = new Set(before.split('\r\n'))
  const lines = after.split('\r\n')
  return lines.filter((line) => !came.has(line)).map((line) => `  ${printable(Buffer.from(line, 'latin1'))}`)
}

function verdict(bytes: Uint8Array, leniency: Leniency): string {
  const { ok, message, problems, warnings } = inspectMessage(bytes, { leniency })
  const lines = [...problems, ...warnings].flatMap((found) => problemLines(bytes, found))
  const changed = message === undefined ? [] : rewritten(bytes, message)
  if (changed.length > 0) lines.push('written anew:', ...changed)
  return `${[ok ? 'accepted' : 'refused', ...lines].join('\n')}\n${JSON.stringify(message === undefined ? null : decoded(message), null, 2)}\n`
}

/** Strict first, when there are switches. */
function verdicts(bytes: Uint8Array, options: string | undefined): string {
  const switches = /^leniency: (.*)$/m.exec(options ?? '')?.[1]
  if (switches === undefined) return verdict(bytes, strict)
  const names = switches.split(', ')
  const leniency = names.includes('tolerant')
    ? tolerant
    : { ...strict, ...Object.fromEntries(names.map((name) => [name, true])) }
  for (const name of names) expect(name === 'tolerant' || name in strict, name).toBe(true)
  const { ok, problems } = inspectMessage(bytes)
  expect(ok, 'a deviation that strict reading accepts is none').toBe(false)
  const lines = problems.flatMap((found) => problemLines(bytes, found))
  return `strict: refused\n${lines.join('\n')}\n\n${switches}: ${verdict(bytes, leniency)}`
}

/** The events of a stream that comes in one piece; byte by byte it must give the same messages and the same end. */
function streamVerdict(bytes: Uint8Array): string {
  const framer = new StreamFramer()
  const lines = framer.push(bytes).flatMap((event) => {
    if (event.kind === 'message') return [`message of ${event.bytes.length} bytes: ${firstLine(event.bytes)}`]
    if (event.kind !== 'error') return [event.kind]
    const { code, offset, layer, suggestedStatus, sentence } = event.error
    const head = event.head === undefined ? 'no whole head' : `head: ${firstLine(event.head)}`
    return [`error at ${offset}: ${layer}: ${code} (${suggestedStatus}): ${sentence}`, `  ${head}`]
  })
  const slow = new StreamFramer()
  const single = [...bytes].flatMap((byte) => slow.push(Uint8Array.of(byte)))
  const endings = (all: readonly string[]): readonly string[] => all.filter((line) => !/^(?:ping|pong| {2})/.test(line))
  expect(
    single.flatMap((event) => {
      if (event.kind === 'message') return [`message of ${event.bytes.length} bytes: ${firstLine(event.bytes)}`]
      return event.kind === 'error' ? [event.error.code] : []
    }),
  ).toEqual(endings(lines).map((line) => /^error .*: ([A-Z_]+) \(/.exec(line)?.[1] ?? line))
  return `${[...lines, `${framer.bufferedBytes} bytes wait`].join('\n')}\n`
}

function firstLine(bytes: Uint8Array): string {
  return printable(bytes.subarray(0, bytes.indexOf(0x0d)))
}

describe('SIP messages', () => {
  it('have golden files', () => {
    expect(names.length).toBeGreaterThan(0)
  })

  it('have one for each switch of leniency', () => {
    const texts = names.map((name) => readFileSync(`${folder}${name}`, 'utf8'))
    for (const name of Object.keys(strict))
      expect(
        texts.some((text) => optionalBlock(text, 'Options')?.trim() === `leniency: ${name}`),
        name,
      ).toBe(true)
  })

  it.each(names)('%s', (name) => {
    const text = readFileSync(`${folder}${name}`, 'utf8')
    const stream = optionalBlock(text, 'Stream')
    const out =
      stream === undefined
        ? verdicts(toBytes(block(text, 'Message')), optionalBlock(text, 'Options'))
        : streamVerdict(toBytes(stream))
    if (isWriting) {
      const [head] = text.split(/^## Verdict$/m)
      writeFileSync(`${folder}${name}`, `${head}## Verdict\n\n\`\`\`text\n${out}\`\`\`\n`)
    }
    expect(out).toBe(block(readFileSync(`${folder}${name}`, 'utf8'), 'Verdict'))
  })
})
