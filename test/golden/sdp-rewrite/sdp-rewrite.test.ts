/**
 * Golden files of SDP rewriting. Each Markdown file holds a description (In), what the relay decided (Options) and the
 * description that it sends on (Out), with placeholders where the relay's ports stand: {rtp-0} and {rtcp-0} for the
 * first medium, {key-0} and so on for the keys that it gives. Run with CARILLON_WRITE=1 to write the Out sections anew; read the difference before keeping it.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type MediaRewrite, rewriteSdp, type SdpRewrite } from '@carillon/rtp-relay'
import { keySaltBytes, parseSdp, serializeSdp } from '@carillon/sip-parser/sdp'
import { describe, expect, it } from 'vitest'

/** `relay` a medium, `mux` relay it with RTP and RTCP on one port, `mux-only` insist on that, `refuse` it. */
type Decision = 'relay' | 'mux' | 'mux-only' | 'refuse'

/** What a file says under Options. */
interface GoldenOptions {
  readonly address: string
  readonly replaceOrigin?: boolean
  readonly media: readonly Decision[]
  /** For every medium: its protocol, and the suites for which the relay gives keys, under the tags 1, 2 and so on. */
  readonly protocol?: string
  readonly suites?: readonly string[]
}

const folder = fileURLToPath(new URL('.', import.meta.url))
const names = readdirSync(folder).filter((name) => name.endsWith('.md'))
const isWriting = process.env.CARILLON_WRITE === '1'
const FIRST_PORT = 61_000

function block(text: string, heading: string): string {
  const [, content] = new RegExp(`^## ${heading}\\n+\`\`\`\\w*\\n([^]*?)\`\`\``, 'm').exec(text) ?? []
  if (content === undefined) throw new Error(`no block under "${heading}"`)
  return content
}

/** A key that is as long as the suite asks, and easy to find again. */
function keyOf(suite: string, index: number): string {
  return Buffer.alloc(keySaltBytes(suite) ?? 0, index + 1).toString('base64')
}

function rewriteOf({ address, media, protocol, suites, ...rest }: GoldenOptions): SdpRewrite {
  const cryptos = suites?.map((suite, index) => ({
    tag: index + 1,
    suite,
    keys: [{ keySalt: keyOf(suite, index) }],
    sessionParameters: [],
  }))
  const plans = media.map((decision, index): MediaRewrite => {
    const port = decision === 'refuse' ? 0 : FIRST_PORT + index * 2
    return {
      port,
      rtcpPort: port + 1,
      rtcpMux: decision.startsWith('mux'),
      rtcpMuxOnly: decision === 'mux-only',
      ...(protocol === undefined ? {} : { protocol }),
      ...(cryptos === undefined ? {} : { cryptos }),
    }
  })
  return { address, family: address.includes(':') ? 'IP6' : 'IP4', media: plans, ...rest }
}

function rewritten(input: string, options: GoldenOptions): string {
  const parsed = parseSdp(input.replaceAll('\n', '\r\n'))
  if (!parsed.ok) throw new Error(parsed.error.sentence)
  const out = serializeSdp(rewriteSdp(parsed.value, rewriteOf(options)))
  expect(out.endsWith('\r\n')).toBe(true)
  const ports = options.media.flatMap((_, index) => [`{rtp-${index}}`, `{rtcp-${index}}`])
  const keys = options.suites ?? []
  return ports
    .reduce((text, name, index) => text.replaceAll(`${FIRST_PORT + index}`, name), out)
    .replaceAll(/inline:(\S+)/g, (whole, key: string) => {
      const index = keys.findIndex((suite, at) => keyOf(suite, at) === key)
      return index < 0 ? whole : `inline:{key-${index}}`
    })
    .replaceAll('\r\n', '\n')
}

describe('SDP rewriting', () => {
  it('has golden files', () => {
    expect(names.length).toBeGreaterThan(0)
  })

  it.each(names)('%s', (name) => {
    const text = readFileSync(`${folder}${name}`, 'utf8')
    const options = JSON.parse(block(text, 'Options')) as GoldenOptions
    const out = rewritten(block(text, 'In'), options)
    if (isWriting) {
      const [head] = text.split(/^## Out$/m)
      writeFileSync(`${folder}${name}`, `${head}## Out\n\n\`\`\`sdp\n${out}\`\`\`\n`)
    }
    expect(out).toBe(block(readFileSync(`${folder}${name}`, 'utf8'), 'Out'))
    // Rewriting what has been rewritten changes nothing but the ports: the result holds nothing of the first party.
    const again = rewriteOf(options)
    const once = parseSdp(rewrittenRaw(block(text, 'In'), options))
    if (once.ok) expect(rewriteSdp(once.value, again)).toEqual(once.value)
  })
})

function rewrittenRaw(input: string, options: GoldenOptions): string {
  const parsed = parseSdp(input.replaceAll('\n', '\r\n'))
  return parsed.ok ? serializeSdp(rewriteSdp(parsed.value, rewriteOf(options))) : ''
}
