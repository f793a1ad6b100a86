/**
 * The peers as parsers of whole messages, each doing one task, with what exactly it does said beside it. Every function
 * is checked while it runs: a peer that fails to parse would look fast.
 */
import drachtio from 'drachtio-sip'
import * as jssip from 'jssip/lib/Parser.js'
import * as sip from 'sip'
import * as sipjs from 'sip.js/lib/core/messages/parser.js'
import type { Fixture } from '../fixtures/messages.ts'
import type { Contestant } from './measure.ts'

const silentLogger = { error: fail, warn: fail } as never
// What JsSIP reads of a user agent while it parses: nothing.
const jssipAgent = {}
const addressHeaders = ['from', 'to', 'contact', 'route', 'record-route'] as const

/** `new SipMessage(text)`: header lines found by name, their values left as text. The yardstick of the parse suite. */
export function bareConstructor(fixture: Fixture): Contestant {
  return {
    name: 'drachtio-sip',
    does: 'bare constructor: headers by name as strings, none decoded',
    task: 'split',
    run: () => checked(new drachtio.SipMessage(fixture.text).headers['call-id']),
  }
}

/** What a proxy needs; only drachtio-sip can be asked for so little. */
export function proxyPeers(fixture: Fixture): Contestant[] {
  const headers = ['via', 'from', 'to', 'cseq', ...(fixture.text.includes('\r\nRoute:') ? ['route'] : [])]
  return [
    {
      name: 'drachtio-sip',
      does: 'constructor, then Via, From, To, CSeq, Route decoded; URIs stay text',
      task: 'proxy',
      run: () => {
        const message = new drachtio.SipMessage(fixture.text)
        for (const name of headers) checked(message.getParsedHeader(name))
        return checked(message.headers['call-id'])
      },
    },
    {
      name: 'sip',
      does: 'parse: always decodes Via, From, To, CSeq, Contact, routes; URIs stay text',
      task: 'proxy',
      run: () => checked(sip.parse(fixture.bytes)?.headers.from.uri),
    },
  ]
}

/** Decodes every header that the library has a decoder for, and the URIs in them. */
export function everythingPeers(fixture: Fixture): Contestant[] {
  return [
    {
      name: 'drachtio-sip',
      does: 'eager, with parseUri of each address; no decoder for lists, types, agents',
      task: 'every',
      run: () => {
        const headers = drachtio.parser.parseSipMessage(fixture.text)?.headers
        return countUris(headers, (uri) => drachtio.parser.parseUri(uri))
      },
    },
    {
      name: 'sip',
      does: 'parse, with parseUri of each address; no decoder for lists, types, agents',
      task: 'every',
      run: () => countUris(sip.parse(fixture.bytes)?.headers, (uri) => sip.parseUri(uri)),
    },
    {
      name: 'jssip',
      does: 'always decodes most headers and their URIs (one Via only), PEG grammar',
      task: 'every',
      run: () => checked(jssip.parseMessage(fixture.text, jssipAgent)?.from.uri.user),
    },
    {
      name: 'sip.js',
      does: 'always decodes most headers and their URIs (one Via only), PEG grammar',
      task: 'every',
      run: () => checked(sipjs.Parser.parseMessage(fixture.text, silentLogger)?.from.uri.user),
    },
  ]
}

/** The parsed message of each library, for counting what it keeps in memory. */
export const peerMessages: readonly { name: string; does: string; make(text: string): unknown }[] = [
  { name: 'drachtio-sip', does: 'bare constructor', make: (text) => new drachtio.SipMessage(text) },
  { name: 'sip', does: 'parse', make: (text) => checked(sip.parse(Buffer.from(text, 'latin1'))) },
  { name: 'jssip', does: 'parseMessage', make: (text) => checked(jssip.parseMessage(text, jssipAgent)) },
  { name: 'sip.js', does: 'parseMessage', make: (text) => checked(sipjs.Parser.parseMessage(text, silentLogger)) },
]

/** Decodes the URIs of all addresses; routes come with theirs decoded already. */
function countUris(headers: Record<string, unknown> | undefined, parseUri: (uri: string) => unknown): number {
  let uris = 0
  for (const name of addressHeaders) {
    const value = headers?.[name]
    for (const item of Array.isArray(value) ? value : value === undefined ? [] : [value]) {
      const { uri } = item as { uri: unknown }
      if (typeof uri !== 'string' || parseUri(uri) !== undefined) uris++
    }
  }
  return checked(uris > 1 ? uris : undefined)
}

function checked<T>(value: T | undefined): T {
  if (value === undefined || value === null) throw new Error('a peer did not parse the fixture')
  return value
}

function fail(): never {
  throw new Error('a peer complained about the fixture')
}
