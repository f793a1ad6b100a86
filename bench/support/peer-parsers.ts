/**
 * The peers, each behind functions that do one task, with what exactly they do said beside them. Every function is
 * checked against the fixture before it is measured: a peer that fails to parse would look fast.
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
const nameAddrHeaders = ['from', 'to', 'contact', 'record-route'] as const

/** Splits into header lines and finds them by name; no value is decoded. Only drachtio-sip can be asked for so little. */
export function framingPeers(fixture: Fixture): Contestant[] {
  return [
    {
      name: 'drachtio-sip',
      does: 'headers by name as strings (lazy)',
      run: () => checked(new drachtio.SipMessage(fixture.text).headers['call-id']),
    },
  ]
}

/** Decodes what a proxy or registrar reads of every message. */
export function mandatoryPeers(fixture: Fixture): Contestant[] {
  return [
    {
      name: 'drachtio-sip',
      does: 'lazy, then Via, From, To, CSeq, Contact decoded; URIs stay text',
      run: () => {
        const message = new drachtio.SipMessage(fixture.text)
        checked(message.getParsedHeader('via'))
        checked(message.getParsedHeader('to'))
        checked(message.getParsedHeader('cseq'))
        checked(message.getParsedHeader('contact'))
        return checked(message.getParsedHeader('from').uri)
      },
    },
    {
      name: 'sip',
      does: 'always decodes Via, From, To, CSeq, Contact, routes; URIs stay text',
      run: () => checked(sip.parse(fixture.bytes)?.headers.from.uri),
    },
    ...fullGrammarPeers(fixture),
  ]
}

/** Decodes every header that the library has a decoder for, and the URIs in them. */
export function everythingPeers(fixture: Fixture): Contestant[] {
  return [
    {
      name: 'drachtio-sip',
      does: 'eager, with parseUri of each address; no decoder for lists, types, agents',
      run: () => {
        const message = drachtio.parser.parseSipMessage(fixture.text)
        let uris = 0
        for (const name of nameAddrHeaders) {
          const value = message?.headers[name]
          for (const item of Array.isArray(value) ? value : value === undefined ? [] : [value]) {
            // Route headers come with their URI decoded already.
            const { uri } = item as { uri: unknown }
            if (typeof uri !== 'string' || drachtio.parser.parseUri(uri) !== undefined) uris++
          }
        }
        return checked(uris > 1 ? uris : undefined)
      },
    },
    {
      name: 'sip',
      does: 'with parseUri of each address; no decoder for lists, types, agents',
      run: () => {
        const headers = sip.parse(fixture.bytes)?.headers
        let uris = 0
        for (const name of nameAddrHeaders) {
          const value = headers?.[name]
          for (const item of Array.isArray(value) ? value : value === undefined ? [] : [value]) {
            if (sip.parseUri((item as sip.NameAddr).uri) !== undefined) uris++
          }
        }
        return checked(uris > 1 ? uris : undefined)
      },
    },
    ...fullGrammarPeers(fixture),
  ]
}

function fullGrammarPeers(fixture: Fixture): Contestant[] {
  return [
    {
      name: 'jssip',
      does: 'always decodes most headers and their URIs (one Via only), PEG grammar',
      run: () => checked(jssip.parseMessage(fixture.text, jssipAgent)?.from.uri.user),
    },
    {
      name: 'sip.js',
      does: 'always decodes most headers and their URIs (one Via only), PEG grammar',
      run: () => checked(sipjs.Parser.parseMessage(fixture.text, silentLogger)?.from.uri.user),
    },
  ]
}

function checked<T>(value: T | undefined): T {
  if (value === undefined || value === null) throw new Error('a peer did not parse the fixture')
  return value
}

function fail(): never {
  throw new Error('a peer complained about the fixture')
}
