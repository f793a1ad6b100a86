/**
 * The parser under mutated input, by seed: never an exception, never a slow message, what is accepted is written back byte
 * for byte, and an edit of it reads back. CARILLON_FUZZ_SEED and CARILLON_FUZZ_ROUNDS choose another run.
 */
import {
  checkMandatory,
  inspectMessage,
  parseMessage,
  parseUri,
  responseTo,
  StreamFramer,
  tolerant,
} from '@carillon/sip-parser'
import {
  inviteBytes,
  mutateBytes,
  optionsRequest,
  registerRequest,
  SeededGenerator,
  sampleResponse,
} from '@carillon/sip-parser/testing'
import { describe, expect, it } from 'vitest'

const firstSeed = Number(process.env.CARILLON_FUZZ_SEED ?? 1)
const rounds = Number(process.env.CARILLON_FUZZ_ROUNDS ?? 6000)

const seeds: readonly Uint8Array[] = [
  inviteBytes(),
  inviteBytes({
    headers: [
      ['Route', '<sip:p1.example.com;lr>, "P, two" <sip:p2.example.com;lr;x=%41>'],
      ['Record-Route', '<sip:[2001:db8::1]:5070;lr>'],
      [
        'Authorization',
        'Digest username="alice", realm="r\\"q", nonce="n", uri="sip:b", response="0", nc=00000001, qop=auth',
      ],
      ['Warning', '399 host "text, with comma"'],
      ['Retry-After', '5 (a (b) c);duration=9'],
      ['X-Fold', 'one'],
    ],
  }),
  registerRequest({ contact: '"A" <sip:a@[::1]:5060;ob>;expires=60;q=0.5;+sip.instance="<urn:uuid:1>"' }).toBytes(),
  optionsRequest({ via: 'SIP/2.0/TCP [2001:db8::9:1]:5060;branch=z9hG4bK1;received=2001:db8::2;rport=5' }).toBytes(),
  sampleResponse(401, {
    headers: [['WWW-Authenticate', 'Digest realm="r", nonce="n", qop="auth,auth-int"']],
  }).toBytes(),
  Buffer.from(
    'OPTIONS sip:a SIP/2.0\r\nVia:\r\n SIP / 2.0 / UDP\r\n\ta ; branch=z\r\nf:"x\\"y"\r\n <sip:a@b>;tag=1\r\nt:sip:c@d\r\ni:1\r\nCSeq:1\r\n OPTIONS\r\nl:0\r\n\r\n',
  ),
]

function check(input: Uint8Array, seed: number): void {
  const strictly = inspectMessage(input)
  const tolerantly = inspectMessage(input, { leniency: tolerant })
  if (strictly.ok) expect(tolerantly.ok, `seed ${seed}: tolerant refuses what strict accepts`).toBe(true)
  const parsed = parseMessage(input)
  if (!parsed.ok) {
    if (parsed.message?.kind === 'request') responseTo(parsed.message, 400, { toTag: 't' })
    return
  }
  const { message } = parsed
  const bytes = message.toBytes()
  // The version of the start line is written in capitals whatever it came as; nothing else may change.
  const came = Buffer.from(input)
    .toString('latin1')
    .replace(/sip\/2\.0/i, 'SIP/2.0')
  expect(came.includes(bytes.toString('latin1').replace(/sip\/2\.0/i, 'SIP/2.0')), `seed ${seed}: bytes changed`).toBe(
    true,
  )
  const again = parseMessage(message.edit().prepend('Via', 'SIP/2.0/UDP x;branch=z9hG4bKy').build().toBytes())
  expect(again.ok && again.message.via.host, `seed ${seed}: an edit does not read back`).toBe('x')
  JSON.stringify(message)
  if (checkMandatory(message) === undefined) {
    for (const value of [message.via, message.to, message.from]) String(value)
    const response = message.kind === 'request' ? responseTo(message, 200, { toTag: 't' }) : message
    expect(parseMessage(response.toBytes()).ok, `seed ${seed}: a response does not read back`).toBe(true)
  }
}

describe('the parser under mutation', () => {
  it(`keeps its promises for ${rounds} messages from seed ${firstSeed}`, () => {
    for (let seed = firstSeed; seed < firstSeed + rounds; seed += 1) {
      const generator = new SeededGenerator(seed * 2654435761)
      check(mutateBytes(generator.pick(seeds), generator), seed)
    }
  })

  it('the same for URIs: what is accepted reads back and equals itself', () => {
    const texts = [
      'sip:alice:pw@example.com:5060;lr;x=%41?a=b',
      'sips:[2001:db8::1]:5061',
      'tel:+1-201;ext=4',
      'urn:x:y',
    ]
    for (let seed = firstSeed; seed < firstSeed + rounds; seed += 1) {
      const generator = new SeededGenerator(seed * 40503)
      const text = Buffer.from(mutateBytes(Buffer.from(generator.pick(texts)), generator)).toString('latin1')
      const result = parseUri(text)
      if (!result.ok) continue
      expect(result.value.toString(), `seed ${seed}`).toBe(text)
      expect(result.value.equals(result.value), `seed ${seed}`).toBe(true)
    }
  })

  it('a mutated stream, cut anywhere, gives the same messages and the same end', () => {
    for (let seed = firstSeed; seed < firstSeed + rounds / 10; seed += 1) {
      const generator = new SeededGenerator(seed * 69069)
      const stream = Buffer.concat([
        generator.pick(seeds),
        mutateBytes(generator.pick(seeds), generator),
        generator.pick(seeds),
      ])
      const whole = outcome(new StreamFramer().push(stream))
      const framer = new StreamFramer()
      const events: ReturnType<StreamFramer['push']> = []
      for (let at = 0; at < stream.length; ) {
        const size = 1 + generator.below(300)
        events.push(...framer.push(stream.subarray(at, at + size)))
        at += size
      }
      expect(outcome(events), `seed ${seed}`).toEqual(whole)
    }
  })
})

function outcome(events: ReturnType<StreamFramer['push']>): string[] {
  return events.flatMap((event) => {
    if (event.kind === 'message') return [Buffer.from(event.bytes).toString('latin1')]
    return event.kind === 'error' ? [`${event.error.code} at ${event.error.offset}`] : []
  })
}

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
    for (const leniency of [{}, tolerant]) {
      inspectMessage(bytes, { leniency })
      const start = process.cpuUsage()
      inspectMessage(bytes, { leniency })
      new StreamFramer().push(bytes)
      const { user, system } = process.cpuUsage(start)
      expect((user + system) / 1000).toBeLessThan(bytes.length / 1024)
    }
  })
})
