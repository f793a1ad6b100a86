/**
 * Golden files of SIP messages. Each Markdown file holds a message (Message: a line of the block is a line of the message
 * with CRLF; `\xHH` is one byte, `\` at the end of the last line means that no line end follows) and what the parser makes
 * of it (Verdict). Run with CARILLON_WRITE=1 to write the Verdict sections anew; read the difference before
 * keeping it.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type DecodableHeader, inspectMessage, type SipMessage, SipUri, type Uri } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'

const folder = fileURLToPath(new URL('.', import.meta.url))
const names = readdirSync(folder).filter((name) => name.endsWith('.md'))
const isWriting = process.env.CARILLON_WRITE === '1'

const getters: readonly DecodableHeader[] = [
  'vias',
  'from',
  'to',
  'callId',
  'cseq',
  'maxForwards',
  'contacts',
  'routes',
  'recordRoutes',
  'expires',
  'contentType',
  'allow',
  'supported',
  'require',
  'userAgent',
  'retryAfter',
  'reasons',
  'wwwAuthenticate',
  'authorizations',
]

function block(text: string, heading: string): string {
  const [, content] = new RegExp(`^## ${heading}\\n+\`\`\`\\w*\\n([^]*?)\`\`\``, 'm').exec(text) ?? []
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
  const isTyped = Object.getPrototypeOf(value) !== Object.prototype
  if (!isTyped) return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, shown(item)]))
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

function decoded(message: SipMessage): object {
  const start =
    message.kind === 'request' ? { method: message.method } : { status: message.status, reason: message.reason }
  const values: Record<string, unknown> = { ...start }
  if (message.kind === 'request') {
    try {
      values.uri = shown(message.uri)
    } catch (thrown) {
      values.uri = { problem: (thrown as { code: string }).code }
    }
  }
  for (const name of getters) {
    const result = message.decode(name)
    if (!result.ok) values[name] = { problem: result.error.code }
    else if (result.value !== undefined && !(Array.isArray(result.value) && result.value.length === 0))
      values[name] = shown(result.value)
  }
  return { ...values, bodyBytes: message.bodyLength }
}

function verdict(bytes: Uint8Array): string {
  const { ok, message, problems, warnings } = inspectMessage(bytes)
  const lines = [...problems, ...warnings].map((found) => {
    const header = found.header === undefined ? '' : ` ${found.header}:`
    return `${found.offset}: ${found.layer}: ${found.code} (${found.suggestedStatus}):${header} ${found.sentence}`
  })
  return `${[ok ? 'accepted' : 'refused', ...lines].join('\n')}\n${JSON.stringify(message === undefined ? null : decoded(message), null, 2)}\n`
}

describe('SIP messages', () => {
  it('have golden files', () => {
    expect(names.length).toBeGreaterThan(0)
  })

  it.each(names)('%s', (name) => {
    const text = readFileSync(`${folder}${name}`, 'utf8')
    const out = verdict(toBytes(block(text, 'Message')))
    if (isWriting) {
      const [head] = text.split(/^## Verdict$/m)
      writeFileSync(`${folder}${name}`, `${head}## Verdict\n\n\`\`\`text\n${out}\`\`\`\n`)
    }
    expect(out).toBe(block(readFileSync(`${folder}${name}`, 'utf8'), 'Verdict'))
  })
})
