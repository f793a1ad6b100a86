/** The peers: where each is found, and the calls by which it reads a message. They are dependencies of the benchmarks. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { readWithJsSip, readWithSipJs } from './grammar-peers.ts'
import type { Reading } from './reading.ts'
import { readWithDrachtio, readWithSip } from './regex-peers.ts'

/** One peer of the matrix. */
export interface Peer {
  readonly name: string
  /** What is required. */
  readonly path: string
  /** What is called, for the published page. */
  readonly calls: string
  readonly read: (library: never, bytes: Uint8Array) => Reading | undefined
}

const bench = fileURLToPath(new URL('../../../bench/package.json', import.meta.url))
const require = createRequire(bench)

/** The peers, in the order of the columns. */
export const peers: readonly Peer[] = [
  {
    name: 'sip',
    path: 'sip',
    calls:
      '`sip.parse(buffer)`, then `sip.parseUri` of each sip or sips URI. The library leaves out a header that it cannot decode',
    read: readWithSip,
  },
  {
    name: 'drachtio-sip',
    path: 'drachtio-sip',
    calls:
      '`new SipMessage(text)`, then `getParsedHeader` of Via, From, To, Contact and CSeq, then `parser.parseUri` of each sip or sips URI. The constructor throws one named error for what it does not understand, and this is a rejection',
    read: readWithDrachtio,
  },
  {
    name: 'sip.js',
    path: 'sip.js/lib/core/messages/parser.js',
    calls:
      '`Parser.parseMessage(text, logger)`, then `parseHeader` of each Via, From, To, Contact, CSeq and Max-Forwards',
    read: readWithSipJs,
  },
  {
    name: 'jssip',
    path: 'jssip/lib/Parser.js',
    calls: '`Parser.parseMessage(text, ua)`, then `parseHeader` of each Via, From, To, Contact, CSeq and Max-Forwards',
    read: readWithJsSip,
  },
]

/** Loads a peer's parser; throws when it is not installed. */
export function loadPeer(peer: Peer): never {
  return require(peer.path) as never
}

/** The version that the benchmarks pin. */
export function versionOf(peer: Peer): string {
  const { devDependencies } = JSON.parse(readFileSync(bench, 'utf8')) as { devDependencies: Record<string, string> }
  const version = devDependencies[peer.name]
  if (version === undefined) throw new Error(`${peer.name} is no dependency of the benchmarks`)
  return version
}
