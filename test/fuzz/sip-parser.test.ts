/**
 * The parser under mutated input, by seed, with the targets and oracles of `npm run fuzz`, in short. CARILLON_FUZZ_SEED
 * and CARILLON_FUZZ_ROUNDS choose another run.
 */
import { inspectMessage, StreamFramer, tolerant } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { readCorpus } from './engine/corpus.ts'
import { shown } from './engine/failure.ts'
import { Fuzzer } from './engine/fuzzer.ts'
import { Probe } from './engine/probe.ts'
import { targetNames } from './engine/target.ts'
import { targetByName } from './targets/index.ts'

const seed = Number(process.env.CARILLON_FUZZ_SEED ?? 1)
const rounds = Number(process.env.CARILLON_FUZZ_ROUNDS ?? 6000)
/** Cases of each target for a round: about as long each. */
const shares = { message: 0.5, uri: 2, sdp: 0.5, 'sdp-rewrite': 0.5, stream: 0.2, rtp: 0.5, rtcp: 0.5, srtp: 0.1 }

describe('the parser under mutation', () => {
  it.each(targetNames)(`%s: every promise is kept, from seed ${seed}`, (name) => {
    const fuzzer = new Fuzzer(targetByName(name), { seed, corpus: readCorpus(name) })
    for (let left = fuzzer.corpus.length + rounds * shares[name]; left > 0; left -= 1) {
      const failure = fuzzer.step()
      if (failure === undefined) continue
      const { message, caseId, input } = failure
      expect.fail(`${message}\n${shown(input)}\nagain: npm run fuzz -- ${name} --case ${caseId}`)
    }
    expect(fuzzer.progress.features).toBeGreaterThan(fuzzer.corpus.length)
  })
})

describe('no input is quadratic', () => {
  const head = 'OPTIONS sip:a SIP/2.0\r\n'
  const size = 60_000
  const fill = (piece: string): string => piece.repeat(Math.floor(size / piece.length))
  const inputs: Readonly<Record<string, string>> = {
    'spaces in a value': `${head}X: a${fill(' ')}b\r\n\r\n`,
    'folded spaces': `${head}Subject: a\r\n${fill(' ')}b\r\n\r\n`,
    'many folds': `${head}Subject: a${fill('\r\n ')}b\r\n\r\n`,
    'bare line feeds': `${head}${fill('X: y\n')}\r\n\r\n`,
    'bare carriage returns': `${head}X: ${fill('\r')}\r\n\r\n`,
    'no line end': head + fill('x'),
    'spaces in the request line': `OPTIONS${fill(' ')}sip:a SIP/2.0\r\n\r\n`,
    'spaces after the status': `SIP/2.0${fill(' ')}200 OK\r\n\r\n`,
    'open angle brackets': `${head}Route: ${fill('<')}\r\n\r\n`,
    'open quotes': `${head}Route: ${fill('"\\"')}\r\n\r\n`,
    'routes in one line': `${head}Route: ${fill('<sip:a>,')}<sip:b>\r\n\r\n`,
    'empty elements': `${head}Route: ${fill(',')}\r\n\r\n`,
    parameters: `${head}To: <sip:a>${fill(';a=b')}\r\n\r\n`,
    'URI parameters': `${head}To: <sip:a@b${fill(';a=b')}>\r\n\r\n`,
    'URI headers': `${head}To: <sip:a@b?${fill('a=b&')}a=b>\r\n\r\n`,
    'users without a host': `${head}To: <sip:${fill('a;b?')}>\r\n\r\n`,
    escapes: `${head}To: <sip:${fill('%41')}@b>\r\n\r\n`,
    backslashes: `${head}To: "${fill('\\\\')}" <sip:a>\r\n\r\n`,
    'host labels': `${head}Via: SIP/2.0/UDP ${fill('a.')}a\r\n\r\n`,
    'nested comments': `${head}Retry-After: 1 ${fill('(')}\r\n\r\n`,
    digits: `${head}CSeq: ${fill('0')} OPTIONS\r\n\r\n`,
    'credentials in one line': `${head}Authorization: Digest ${fill('a="b",')}c=d\r\n\r\n`,
    'a telephone number': `${head}To: <tel:${fill('(-')}1>\r\n\r\n`,
    'header lines': head + 'v: x\r\n'.repeat(256) + fill('Y: z\r\n'),
  }

  it.each(Object.entries(inputs))('%s: under 1 ms a kilobyte, strict and tolerant', (_, text) => {
    const bytes = Buffer.from(text, 'latin1')
    const probe = new Probe()
    for (const leniency of [{}, tolerant]) {
      expect(() => probe.time('inspectMessage', bytes.length, () => inspectMessage(bytes, { leniency }))).not.toThrow()
    }
    expect(() => probe.time('push', bytes.length, () => new StreamFramer().push(bytes))).not.toThrow()
  })
})
