/** The torture messages of RFC 4475 and RFC 5118, read from the conformance folder: each verdict as `expect.json` has it. */
import {
  checkMandatory,
  type FramerEvent,
  inspectMessage,
  type Problem,
  parseMessage,
  StreamFramer,
  tolerant,
} from '@carillon/sip-parser'
import { mutateBytes, SeededGenerator } from '@carillon/sip-parser/testing'
import { describe, expect, it } from 'vitest'
import {
  choices,
  expectations,
  folder,
  isPresent,
  isRequired,
  layers,
  messageBytes,
  statusesOf,
} from './matrix/expectations'

describe.runIf(!isPresent)('RFC 4475 and RFC 5118', () => {
  it('have their messages at hand', (context) => {
    if (isRequired) throw new Error(`no conformance data in ${folder}; set CARILLON_CONFORMANCE_DIR`)
    console.warn(`SKIPPED: no conformance data in ${folder}; set CARILLON_CONFORMANCE_DIR`)
    context.skip()
  })
})

describe.runIf(isPresent)('RFC 4475 and RFC 5118: verdicts', () => {
  it('cover all 50 and 12 entries', () => {
    expect(expectations.filter(({ set }) => set === 'rfc4475').length).toBe(50)
    expect(expectations.filter(({ set }) => set === 'rfc5118').length).toBe(12)
  })

  it.each(expectations)('$set/$file: $strictParser', (expectation) => {
    const { set, file, strictParser, layer } = expectation
    const { ok, problems } = inspectMessage(messageBytes(set, file))
    if (strictParser === 'accept') {
      expect(problems).toEqual([])
      expect(ok).toBe(true)
      return
    }
    expect(ok).toBe(false)
    if (strictParser === 'either') {
      expect(problems.map(({ code }) => code)).toContain(choices[file]?.code)
      return
    }
    expect(layers[layer ?? 'none']).toContain(problems[0]?.layer)
    expect(statusesOf(expectation)).toContain(problems[0]?.suggestedStatus)
  })

  it('`expect.json` names a status for each message that is to be refused, and a layer in RFC 4475', () => {
    const refused = expectations.filter(({ strictParser }) => strictParser === 'reject')
    expect(refused.filter((expectation) => statusesOf(expectation).length === 0)).toEqual([])
    expect(refused.filter(({ set, layer }) => set === 'rfc4475' && layers[layer ?? ''] === undefined)).toEqual([])
  })

  it('each message that may be refused is refused by the layer that `expect.json` names', () => {
    const open = expectations.filter(({ strictParser }) => strictParser === 'either')
    for (const { set, file, layer } of open) {
      const problem = inspectMessage(messageBytes(set, file)).problems.find(({ code }) => code === choices[file]?.code)
      // The line end that baddn.dat lacks is a matter of framing, whatever its display name.
      const expected = file === 'baddn.dat' ? ['framing'] : layers[layer ?? '']
      expect(expected, file).toContain(problem?.layer)
      expect(problem?.suggestedStatus, file).toBe(400)
    }
  })

  it('baddn.dat with its last line end: the display name alone is refused, and tolerated on request', () => {
    const bytes = messageBytes('rfc4475', 'baddn.complete.dat')
    expect(inspectMessage(bytes).problems.map(({ code }) => code)).toEqual([
      'DISPLAY_NAME_INVALID',
      'DISPLAY_NAME_INVALID',
    ])
    const { message } = inspectMessage(bytes, { leniency: tolerant })
    expect(message?.from.toString()).toBe('"Bell, Alexander" <sip:a.g.bell@example.com>;tag=43')
  })

  it('the tolerant preset accepts what may be accepted, in a form that can be forwarded', () => {
    for (const file of ['lwsstart.dat', 'trws.dat', 'ltgtruri.dat', 'escruri.dat']) {
      const inspection = inspectMessage(messageBytes('rfc4475', file), { leniency: tolerant })
      expect(inspection.problems, file).toEqual([])
      const startLine = inspection.message?.head.split('\r\n')[0]
      expect(startLine, file).toMatch(/^[A-Z]+ sip:[^ <>?]+ SIP\/2\.0$/)
    }
    for (const file of ['regbadct.dat', 'badaspec.dat']) {
      expect(inspectMessage(messageBytes('rfc4475', file), { leniency: tolerant }).ok, file).toBe(true)
    }
  })

  it('a server sees the same through checkMandatory', () => {
    const verdict = (file: string): Problem | undefined => {
      const result = parseMessage(messageBytes('rfc4475', file))
      return result.ok ? checkMandatory(result.message) : result.error
    }
    expect(verdict('insuf.dat')).toMatchObject({ code: 'HEADER_MISSING', suggestedStatus: 400 })
    expect(verdict('multi01.dat')).toMatchObject({ code: 'HEADER_REPEATED', suggestedStatus: 400 })
    expect(verdict('mismatch01.dat')).toMatchObject({ code: 'CSEQ_METHOD_MISMATCH', suggestedStatus: 400 })
    expect(verdict('mismatch02.dat')).toMatchObject({ code: 'CSEQ_METHOD_MISMATCH', suggestedStatus: 501 })
    expect(verdict('scalar02.dat')).toMatchObject({ suggestedStatus: 400 })
    expect(verdict('quotbal.dat')).toMatchObject({ code: 'QUOTE_UNTERMINATED', header: 'To' })
    expect(verdict('baddate.dat')).toBeUndefined()
    expect(verdict('inv2543.dat')).toBeUndefined()
  })
})

describe.runIf(isPresent)('RFC 4475 and RFC 5118: under attack', () => {
  it.each(expectations)('$set/$file, cut at every length: a verdict, no exception', ({ set, file }) => {
    const bytes = messageBytes(set, file)
    for (let length = 0; length < bytes.length; length += 1) {
      const inspection = inspectMessage(bytes.subarray(0, length))
      if (inspection.message === undefined) expect(inspection.ok).toBe(false)
    }
  })

  it.each(expectations)('$set/$file, split at every byte of a stream: the same messages', ({ set, file }) => {
    const bytes = messageBytes(set, file)
    const whole = messagesOf(new StreamFramer().push(bytes))
    for (let at = 1; at < bytes.length; at += 1) {
      const framer = new StreamFramer()
      const events = [...framer.push(bytes.subarray(0, at)), ...framer.push(bytes.subarray(at))]
      expect(messagesOf(events), `split at ${at}`).toEqual(whole)
    }
    const framer = new StreamFramer()
    const single: FramerEvent[] = []
    for (let at = 0; at < bytes.length; at += 1) single.push(...framer.push(bytes.subarray(at, at + 1)))
    expect(messagesOf(single)).toEqual(whole)
  })

  it.each(expectations)(
    '$set/$file, mutated by seed: a verdict, and what is accepted is written back as it came',
    ({ set, file }) => {
      const bytes = messageBytes(set, file)
      for (let seed = 1; seed <= 60; seed += 1) {
        const changed = mutateBytes(bytes, new SeededGenerator(seed * 7919 + bytes.length))
        const { ok, message } = inspectMessage(changed)
        if (ok) expect(Buffer.from(changed).includes(message!.toBytes()), `seed ${seed}`).toBe(true)
      }
    },
  )
})

/** Messages and error codes of the events; keep-alives depend on how the stream is cut. */
function messagesOf(events: readonly FramerEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.kind === 'message') return [Buffer.from(event.bytes).toString('latin1')]
    return event.kind === 'error' ? [event.error.code] : []
  })
}
