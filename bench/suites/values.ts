/**
 * Single values: a URI, a Via, a name-addr. Each peer through the function of its own that reads such a value; where URIs
 * stay text, its function for URIs is called on top.
 */
import { headerDefinitions, parseUri, strict } from '@carillon/sip-parser'
import drachtio from 'drachtio-sip'
import jssipGrammar from 'jssip/lib/Grammar.js'
import JsSipNameAddr from 'jssip/lib/NameAddrHeader.js'
import JsSipUri from 'jssip/lib/URI.js'
import * as sip from 'sip'
import { Grammar } from 'sip.js'
import { type Contestant, measureAll, measurementTable } from '../support/measure.ts'
import type { Table } from '../support/report.ts'

const uri = 'sip:alice@phones.atlanta.example.com:5060;transport=tcp;ob'
const via = 'SIP/2.0/UDP proxy1.atlanta.example.com:5060;branch=z9hG4bK2d4790.1;received=192.0.2.5;rport=5060'
const nameAddr = '"Alice Liddell" <sip:alice@atlanta.example.com:5060;transport=udp>;tag=9fxced76sl'

/** Measures the three. */
export function measureValues(): Table[] {
  return [
    measurementTable(`URI, ${uri.length} characters`, measureAll(uriContestants())),
    measurementTable(`Via, ${via.length} characters`, measureAll(viaContestants())),
    measurementTable(`name-addr, ${nameAddr.length} characters`, measureAll(nameAddrContestants())),
  ]
}

function uriContestants(): Contestant[] {
  return [
    { name: 'carillon', does: 'parseUri', run: () => checked(parseUri(uri).ok || undefined) },
    { name: 'drachtio-sip', does: 'parser.parseUri', run: () => checked(drachtio.parser.parseUri(uri)) },
    { name: 'sip', does: 'parseUri', run: () => checked(sip.parseUri(uri)) },
    { name: 'jssip', does: 'URI.parse', run: () => checked(JsSipUri.parse(uri)) },
    { name: 'sip.js', does: 'Grammar.URIParse', run: () => checked(Grammar.URIParse(uri)) },
  ]
}

function viaContestants(): Contestant[] {
  const parse = drachtio.parser.getParser('via')
  return [
    ours('Via', via),
    { name: 'drachtio-sip', does: "parser.getParser('via')", run: () => checked(parse({ s: via, i: 0 })) },
    { name: 'jssip', does: 'Grammar.parse', run: () => accepted(jssipGrammar.parse(via, 'Via')) },
    { name: 'sip.js', does: 'Grammar.parse', run: () => accepted(Grammar.parse(via, 'Via')) },
  ]
}

function nameAddrContestants(): Contestant[] {
  const parse = drachtio.parser.getParser('from')
  return [
    ours('From', nameAddr),
    {
      name: 'drachtio-sip',
      does: "parser.getParser('from'), parseUri",
      run: () => checked(drachtio.parser.parseUri(parse({ s: nameAddr, i: 0 }).uri)),
    },
    {
      name: 'sip',
      does: 'parseAOR, parseUri',
      run: () => checked(sip.parseUri(sip.parseAOR({ s: nameAddr, i: 0 }).uri)),
    },
    { name: 'jssip', does: 'NameAddrHeader.parse', run: () => checked(JsSipNameAddr.parse(nameAddr)) },
    { name: 'sip.js', does: 'Grammar.nameAddrHeaderParse', run: () => checked(Grammar.nameAddrHeaderParse(nameAddr)) },
  ]
}

/** Our codec, through the registry of headers. */
function ours(name: string, value: string): Contestant {
  const definition = headerDefinitions.find((candidate) => candidate.name === name)
  if (definition === undefined) throw new Error(`${name} is not a known header`)
  const { decode } = definition
  return {
    name: 'carillon',
    does: `headerDefinitions, ${name}: decode; its bytes made each time`,
    run: () => decode({ text: value, bytes: Buffer.from(value, 'latin1') }, 0, value.length, strict),
  }
}

function checked<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a peer did not read the value')
  return value
}

/** What a PEG grammar gives; -1 when it refuses. */
function accepted(value: unknown): unknown {
  if (value === -1) throw new Error('a peer refused the value')
  return value
}
