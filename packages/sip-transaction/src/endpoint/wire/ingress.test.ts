import { describe, expect, it } from 'vitest'
import { type RawPeer, Scenario } from '../fixtures/scenario'
import type { SipStack } from '../stack'

async function server(): Promise<{ scenario: Scenario; raw: RawPeer; stack: SipStack }> {
  const scenario = new Scenario()
  const stack = await scenario.stack('server', { userAgent: 'test' })
  return { scenario, raw: await scenario.raw('raw'), stack }
}

const head = (raw: RawPeer, method = 'OPTIONS', changes: Record<string, string | undefined> = {}): string[] => {
  const headers: Record<string, string | undefined> = {
    Via: `SIP/2.0/UDP ${raw.address}:5060;branch=z9hG4bK1`,
    'Max-Forwards': '70',
    From: `<sip:raw@${raw.address}>;tag=r1`,
    To: '<sip:server@10.0.0.1>',
    'Call-ID': 'one',
    CSeq: `1 ${method}`,
    'Content-Length': '0',
    ...changes,
  }
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]))
  return [`${method} sip:server@10.0.0.1 SIP/2.0`, ...lines]
}

const statuses = (raw: RawPeer) => raw.received.map((text) => Number(text.slice(8, 11)))

describe('requests that no handler sees', () => {
  it('RFC 3261 §11: OPTIONS is answered 200 with Allow and Accept, also with Max-Forwards 0', async () => {
    const { scenario, raw, stack } = await server()
    stack.method('MESSAGE', (request) => request.reply(200))
    raw.send('10.0.0.1', head(raw, 'OPTIONS', { 'Max-Forwards': '0' }))
    await scenario.pass(10)
    expect(statuses(raw)).toEqual([200])
    expect(raw.received[0]).toMatch(/^Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, MESSAGE\r$/m)
    expect(raw.received[0]).toMatch(/^Accept: application\/sdp\r$/m)
    expect(raw.received[0]).toMatch(/^To: .*;tag=/m)
  })

  it('RFC 3261 §8.2.1: a known method gets 405 with Allow, an unknown one 501', async () => {
    const { scenario, raw } = await server()
    raw.send('10.0.0.1', head(raw, 'PUBLISH'))
    raw.send('10.0.0.1', head(raw, 'FROBNICATE', { 'Call-ID': 'two' }))
    await scenario.pass(10)
    expect(statuses(raw)).toEqual([405, 501])
    expect(raw.received[0]).toContain('\r\nAllow: ')
  })

  it('RFC 3261 §8.2.2.3: what Require names and nobody supports gets 420 with Unsupported', async () => {
    const { scenario, raw } = await server()
    raw.send('10.0.0.1', head(raw, 'OPTIONS', { Require: '100rel, gruu, foo' }))
    await scenario.pass(10)
    expect(statuses(raw)).toEqual([420])
    expect(raw.received[0]).toMatch(/^Unsupported: gruu, foo\r$/m)
  })

  it('RFC 3262 §3, RFC 3311 §5: PRACK and UPDATE for no dialog get 481', async () => {
    const { scenario, raw } = await server()
    raw.send('10.0.0.1', head(raw, 'PRACK', { RAck: '1 1 INVITE' }))
    raw.send('10.0.0.1', head(raw, 'UPDATE', { 'Call-ID': 'two', To: '<sip:server@10.0.0.1>;tag=none' }))
    await scenario.pass(10)
    expect(statuses(raw)).toEqual([481, 481])
  })

  it('RFC 3261 §12.2.2: a BYE for no dialog gets 481', async () => {
    const { scenario, raw } = await server()
    raw.send('10.0.0.1', head(raw, 'BYE'))
    raw.send('10.0.0.1', head(raw, 'BYE', { 'Call-ID': 'two', To: '<sip:server@10.0.0.1>;tag=none' }))
    await scenario.pass(10)
    expect(statuses(raw)).toEqual([481, 481])
  })

  it('a handler that throws gives 500, now or later, and the stack goes on', async () => {
    const { scenario, raw, stack } = await server()
    stack.method('MESSAGE', () => {
      throw new Error('now')
    })
    stack.method('INFO', async () => {
      await Promise.resolve()
      throw new Error('later')
    })
    raw.send('10.0.0.1', head(raw, 'MESSAGE'))
    raw.send('10.0.0.1', head(raw, 'INFO', { 'Call-ID': 'two' }))
    await scenario.pass(10)
    expect(statuses(raw)).toEqual([500, 500])
    expect(stack.stats().counters.handlerErrors).toBe(2)
  })

  it('runs handlers one inside the other; next goes on, and a second final answer is an error', async () => {
    const { scenario, raw, stack } = await server()
    const order: string[] = []
    let second: unknown
    stack.use(async (request, next) => {
      order.push('before')
      request.locals.set('seen', true)
      await next()
      order.push('after')
    })
    stack.method(
      'MESSAGE',
      (_request, next) => next(),
      (request) => {
        order.push(`last ${request.locals.get('seen')}`)
        request.reply(202)
        try {
          request.reply(200)
        } catch (error) {
          second = error
        }
      },
    )
    raw.send('10.0.0.1', head(raw, 'MESSAGE'))
    await scenario.pass(10)
    expect(order).toEqual(['before', 'last true', 'after'])
    expect(statuses(raw)).toEqual([202])
    expect(second).toMatchObject({ code: 'ALREADY_ANSWERED' })
  })
})

describe('malformed messages', () => {
  it('RFC 3261 §8.2: what can be answered is, with the status that fits', async () => {
    const { scenario, raw, stack } = await server()
    raw.send('10.0.0.1', head(raw, 'OPTIONS', { CSeq: '1 INVITE' }))
    raw.send('10.0.0.1', head(raw, 'OPTIONS', { 'Max-Forwards': 'many' }))
    raw.send('10.0.0.1', ['OPTIONS sip:server@10.0.0.1 SIP/3.0', ...head(raw).slice(1)])
    raw.send('10.0.0.1', head(raw, 'OPTIONS', { 'Content-Length': '50' }), 'short')
    await scenario.pass(10)
    expect(statuses(raw)).toEqual([400, 400, 505, 400])
    for (const text of raw.received) {
      expect(text).toContain(`Via: SIP/2.0/UDP ${raw.address}:5060;branch=z9hG4bK1`)
      expect(text).toMatch(/^To: .*;tag=/m)
    }
    expect(stack.stats().counters.rejectedMalformed).toBe(4)
    expect(stack.stats().transactions).toBe(0)
  })

  it('drops and counts what cannot be answered: garbage, bad responses, bad ACKs, no Call-ID, no way back', async () => {
    const { scenario, raw, stack } = await server()
    const dropped: string[] = []
    stack.on('dropped', (event) => dropped.push(event.reason))
    raw.send('10.0.0.1', ['hello there'])
    raw.send('10.0.0.1', ['SIP/2.0 200 OK', ...head(raw, 'OPTIONS', { CSeq: 'x' }).slice(1)])
    raw.send('10.0.0.1', head(raw, 'ACK', { CSeq: 'x' }))
    raw.send('10.0.0.1', head(raw, 'OPTIONS', { 'Call-ID': undefined }))
    raw.send('10.0.0.1', head(raw, 'OPTIONS', { Via: undefined }))
    raw.send('10.0.0.1', ['SIP/2.0 200 OK', ...head(raw).slice(1)])
    raw.send('10.0.0.1', head(raw, 'ACK', { To: '<sip:server@10.0.0.1>;tag=none' }))
    await scenario.pass(10)
    expect(raw.received).toEqual([])
    expect(dropped).toEqual([
      'garbage',
      'malformed-response',
      'malformed-ack',
      'malformed-request',
      'malformed-request',
      'stray-response',
      'stray-ack',
    ])
    expect(stack.stats().transactions).toBe(0)
  })

  it('survives a valid INVITE cut at every length, and with every byte changed', async () => {
    const { scenario, raw, stack } = await server()
    stack.method('INVITE', (request) => request.reply(486))
    const whole = head(raw, 'INVITE', { Contact: `<sip:raw@${raw.address}>` }).join('\r\n')
    for (let length = 1; length < whole.length; length += 1) raw.send('10.0.0.1', [whole.slice(0, length)])
    for (let at = 0; at < whole.length; at += 1) {
      raw.send('10.0.0.1', [`${whole.slice(0, at)}\x01${whole.slice(at + 1)}`])
    }
    await scenario.pass(100_000)
    expect(scenario.gauges()).toEqual([0, 0, 0, 0, 0, 0])
    raw.received.length = 0
    raw.send('10.0.0.1', head(raw))
    await scenario.pass(10)
    expect(statuses(raw)).toEqual([200])
  })
})

describe('caps', () => {
  it('refuses new calls with 503 and Retry-After when there are too many dialogs', async () => {
    const scenario = new Scenario()
    const stack = await scenario.stack('server', { limits: { stack: { dialogsMax: 1 } } })
    const raw = await scenario.raw('raw')
    stack.method('INVITE', (request) => request.reply(180))
    const contact = `<sip:raw@${raw.address}>`
    raw.send('10.0.0.1', head(raw, 'INVITE', { Contact: contact }))
    raw.send(
      '10.0.0.1',
      head(raw, 'INVITE', {
        Contact: contact,
        'Call-ID': 'two',
        Via: `SIP/2.0/UDP ${raw.address}:5060;branch=z9hG4bK2`,
      }),
    )
    await scenario.pass(10)
    expect(statuses(raw)).toEqual([180, 503])
    expect(raw.received[1]).toMatch(/^Retry-After: 10\r$/m)
    expect(stack.stats().counters.rejectedOverload).toBe(1)
  })

  it('an INVITE that no handler ever answers ends with 480', async () => {
    const scenario = new Scenario()
    const stack = await scenario.stack('server', { limits: { stack: { inviteAnswerTimeoutMs: 60_000 } } })
    const raw = await scenario.raw('raw')
    stack.method('INVITE', () => {})
    raw.send('10.0.0.1', head(raw, 'INVITE', { Contact: `<sip:raw@${raw.address}>` }))
    await scenario.pass(59_000)
    expect(stack.stats().ringing).toBe(1)
    await scenario.pass(2000)
    expect(statuses(raw)).toContain(480)
    await scenario.pass(70_000)
    expect(scenario.gauges()).toEqual([0, 0, 0, 0, 0, 0])
  })
})
