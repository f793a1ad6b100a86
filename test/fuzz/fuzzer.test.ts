/** The fuzzer itself: it finds faults that are put into the parser, names them so that they come back, and sees hangs. */
import { readRtp, SrtpReceiver, SrtpSender, srtpFailures } from '@carillon/rtp-relay'
import { type FramerEvent, inspectMessage, parseMessage, parseUri, StreamFramer } from '@carillon/sip-parser'
import { inspectSdp, parseSdp } from '@carillon/sip-parser/sdp'
import { mixSeed, SeededGenerator } from '@carillon/sip-parser/testing'
import { describe, expect, it } from 'vitest'
import { formatCaseId, parseCaseId } from './engine/case-id.ts'
import type { Failure } from './engine/failure.ts'
import { Fuzzer } from './engine/fuzzer.ts'
import { minimise } from './engine/minimise.ts'
import { supervise } from './engine/supervisor.ts'
import type { Target } from './engine/target.ts'
import { messageTarget } from './targets/message.ts'
import { rtpTarget } from './targets/rtp.ts'
import { sdpTarget } from './targets/sdp.ts'
import { srtpTarget } from './targets/srtp.ts'
import { streamTarget } from './targets/stream.ts'
import { uriTarget } from './targets/uri.ts'

const casesMax = 20_000

/** A parser that gives up on a parameter without a name, as a careless one would. */
const throwing = messageTarget({
  inspectMessage,
  parseMessage: (bytes, options) => {
    if (Buffer.from(bytes).includes(';=')) throw new TypeError('no name')
    return parseMessage(bytes, options)
  },
})

/** A parser that loses the first of two tabs. */
const losing = messageTarget({
  inspectMessage,
  parseMessage: (bytes, options) => {
    const at = Buffer.from(bytes).indexOf('\t\t')
    const kept = at < 0 ? bytes : Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)])
    return parseMessage(kept, options)
  },
})

/** A parser that compares each semicolon with each other one. */
const quadratic = messageTarget({
  parseMessage,
  inspectMessage: (bytes, options) => {
    const places = [...bytes.keys()].filter((at) => bytes[at] === 0x3b)
    let pairs = 0
    for (const one of places) for (const other of places) if (one < other) pairs += 1
    return pairs < 0 ? { ok: false, problems: [], warnings: [] } : inspectMessage(bytes, options)
  },
})

/** A URI parser that takes what it should not. */
const careless = uriTarget({
  parseUri: (text, leniency) => parseUri(text.replace('%zz', '%41'), leniency),
})

/** An SDP parser whose verdict points beyond the input. */
const pointing = sdpTarget({
  inspectSdp,
  parseSdp: (input) => {
    const parsed = parseSdp(input)
    return parsed.ok ? parsed : { ok: false, error: { ...parsed.error, offset: input.length + 1 } }
  },
})

/** A reader of RTP that takes padding for payload. */
const padding = rtpTarget({
  readRtp: (bytes) => {
    const reading = readRtp(bytes)
    return reading.ok ? { ok: true, packet: { ...reading.packet, paddingBytes: 0 } } : reading
  },
})

/** A receiver of SRTP that lets a packet in again. */
class ForgivingReceiver extends SrtpReceiver {
  override unprotectRtp(packet: Uint8Array, length: number): ReturnType<SrtpReceiver['unprotectRtp']> {
    const opened = super.unprotectRtp(packet, length)
    return opened === srtpFailures.REPLAY ? length : opened
  }
}

const forgiving = srtpTarget({
  receiver: (material) => new ForgivingReceiver(material),
  sender: (material) => new SrtpSender(material),
})

/** A framer that forgets a CR at the end of a chunk. */
class ForgetfulFramer extends StreamFramer {
  override push(chunk: Uint8Array): FramerEvent[] {
    return super.push(chunk.length > 1 && chunk.at(-1) === 0x0d ? chunk.subarray(0, -1) : chunk)
  }
}

function find(target: Target, seed: number): Failure | undefined {
  const fuzzer = new Fuzzer(target, { seed })
  for (let left = casesMax; left > 0; left -= 1) {
    const failure = fuzzer.step()
    if (failure !== undefined) return failure
  }
  return undefined
}

describe('a fault in the parser', () => {
  const faults: readonly (readonly [string, Target, RegExp])[] = [
    ['an exception', throwing, /^throws TypeError no name/],
    ['a lost byte', losing, /./],
    ['quadratic time', quadratic, /^slow inspectMessage/],
    ['a URI that does not come back', careless, /URI/],
    ['a place outside the input', pointing, /^verdict points into the input/],
    ['padding taken for payload', padding, /^the parts are the whole packet/],
    ['a replay', forgiving, /^a forged packet is refused/],
    ['a stream that depends on its chunks', streamTarget((options) => new ForgetfulFramer(options)), /^any split/],
  ]

  it.each(faults)('%s is found, and its case shows it again', (_, target, oracle) => {
    const failure = find(target, 7)
    expect(failure?.oracle).toMatch(oracle)
    if (failure === undefined) return
    const parsed = parseCaseId(failure.caseId)
    if (parsed === undefined) return expect.fail(`${failure.caseId} is no case`)
    const other = new Fuzzer(target, { seed: 8 })
    expect(parsed.corpusHash).toBe(other.corpusHash)
    const again = other.check(parsed.id)
    expect(again?.oracle).toBe(failure.oracle)
    expect(again?.input).toEqual(failure.input)
    expect(other.checkInput(failure.input)?.oracle).toBe(failure.oracle)
  })

  it('is shown by fewer bytes', () => {
    const fuzzer = new Fuzzer(throwing, { seed: 7 })
    const failure = find(throwing, 7)
    const input = failure?.input ?? new Uint8Array(0)
    const small = minimise(input, (candidate) => fuzzer.tryInput(candidate).oracle === failure?.oracle)
    expect(Buffer.from(small).toString()).toBe(';=')
  })
})

describe('a run', () => {
  const trace = (seed: number): string[] => {
    const seen: string[] = []
    const fuzzer = new Fuzzer(uriTarget(), {
      seed,
      announce: (id, input) => seen.push(`${formatCaseId(id, '00000000')} ${Buffer.from(input).toString('latin1')}`),
    })
    for (let left = 500; left > 0; left -= 1) fuzzer.step()
    return seen
  }

  it('makes the same cases from the same seed, and others from another', () => {
    expect(trace(5)).toEqual(trace(5))
    expect(trace(6)).not.toEqual(trace(5))
  })

  it('builds on inputs that reached something new', () => {
    expect(trace(5).some((line) => /^\d+\.\d+/.test(line))).toBe(true)
  })

  it('counts behaviours and remembers the slowest operation with its case', () => {
    const fuzzer = new Fuzzer(uriTarget(), { seed: 1 })
    for (let left = 500; left > 0; left -= 1) fuzzer.step()
    const { cases, features, keptInputs, slowest } = fuzzer.progress
    expect([cases, features > 20, keptInputs > 5]).toEqual([500, true, true])
    expect(slowest.msPerKb).toBeGreaterThan(0)
    expect(parseCaseId(slowest.caseId)?.corpusHash).toBe(fuzzer.corpusHash)
  })

  it('ends a case that hangs, and names it', async () => {
    const module = new URL('./faults/hanging-target.ts', import.meta.url).href
    const job = { target: 'uri', module, seed: 3, seconds: 60, casesMax, corpusFolder: '/nowhere' } as const
    const outcome = await supervise({ ...job, isKeeping: false, isGoingOn: false }, 1_000)
    const [failure] = outcome.failures
    expect([outcome.failures.length, failure?.oracle, outcome.progress]).toEqual([1, 'hang', undefined])
    expect(Buffer.from(failure?.input ?? []).toString('latin1')).toContain(';;')
    const parsed = parseCaseId(failure?.caseId ?? '')
    expect(parsed?.corpusHash).toBe(new Fuzzer(uriTarget(), { seed: 0 }).corpusHash)
  })

  it('passes over to the one that watches when nothing hangs', async () => {
    const job = { target: 'uri', seed: 3, seconds: 60, casesMax: 50, corpusFolder: '/nowhere' } as const
    const outcome = await supervise({ ...job, isKeeping: false, isGoingOn: false }, 5_000)
    expect([outcome.failures, outcome.progress?.cases]).toEqual([[], 50])
  })
})

describe('names of cases', () => {
  it('read back what they say', () => {
    for (const id of [{ entry: 5 }, { seeds: [1] }, { seeds: [4294967295, 0, 7] }]) {
      expect(parseCaseId(formatCaseId(id, '0badcafe'))).toEqual({ id, corpusHash: '0badcafe' })
    }
    expect(parseCaseId('12.7')).toEqual({ id: { seeds: [12, 7] } })
    for (const text of ['', '=', '1.', '.1', '1@', '1@xyz', 'a']) expect(parseCaseId(text)).toBeUndefined()
  })

  it('have seeds that differ, and so do the numbers drawn from neighbours', () => {
    const seeds = Array.from({ length: 1_000 }, (_, index) => mixSeed(1, index))
    expect(new Set(seeds).size).toBe(1_000)
    const firsts = seeds.map((seed) => new SeededGenerator(seed).fraction())
    const mean = firsts.reduce((sum, value) => sum + value, 0) / firsts.length
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.05)
  })
})
