/** The examples that proxy, started as programs: calls go through them, fail over, and end by the same way. */
import { type IncomingRequest, SipStack } from '@carillon/sip-transaction'
import { afterEach, describe, expect, it } from 'vitest'
import { serve, stopPrograms, until } from '../support/example-program'

const open: SipStack[] = []
const sdp = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'

/** A phone, with what it was asked in `invites`. */
async function phone(listen = 'udp://127.0.0.1:0', answer?: number) {
  const stack = await SipStack.create({ listen: [listen], timers: { T1: 100 } })
  open.push(stack)
  const invites: IncomingRequest[] = []
  const log: string[] = []
  stack.on('messageIn', ({ startLine }) =>
    log.push(startLine.split(' ')[0] === 'SIP/2.0' ? startLine : startLine.split(' ')[0]!),
  )
  stack.method('INVITE', (request) => {
    invites.push(request)
    if (answer === undefined) request.reply(180)
    else request.reply(answer, answer === 200 ? { body: sdp } : {})
  })
  stack.method('MESSAGE', (request) => request.reply(answer ?? 200))
  return { stack, invites, log, port: stack.listeners[0]!.port }
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((stack) => stack.close({ graceMs: 0 })))
  await stopPrograms()
})

describe('stateful-proxy', () => {
  it('carries INVITE, CANCEL, ACK, BYE and the rest, from TCP to UDP, by its double Record-Route', async () => {
    const callee = await phone()
    const {
      ports: [udp = 0, tcp = 0],
    } = await serve(
      ...['stateful-proxy', '--listen', 'udp://127.0.0.1:0', '--listen', 'tcp://127.0.0.1:0'],
      ...['--next-hop', `sip:127.0.0.1:${callee.port}`],
    )
    const caller = await phone('tcp://127.0.0.1:0')
    const destination = { transport: 'TCP', address: '127.0.0.1', port: tcp }
    const calling = caller.stack.invite('sip:bob@example.com', { destination, sdp })
    await until(() => callee.invites.length === 1)
    const { message } = callee.invites[0]!
    expect(message.uri.toString()).toBe('sip:bob@example.com')
    expect(message.recordRoutes.map(({ uri }) => (uri as { port?: number }).port)).toEqual([udp, tcp])
    const [a, b] = await Promise.all([calling, callee.invites[0]!.accept({ sdp })])
    await b.bye()
    await a.ended
    const abort = new AbortController()
    const cancelled = caller.stack.invite('sip:bob@example.com', { destination, sdp, signal: abort.signal })
    await until(() => callee.invites.length === 2)
    abort.abort()
    await expect(cancelled).rejects.toMatchObject({ code: 'ABORTED' })
    await until(() => callee.log.filter((method) => method === 'ACK').length === 2)
    const asked = await caller.stack.request({ method: 'MESSAGE', uri: 'sip:bob@example.com', destination })
    expect(asked.status).toBe(200)
    expect(callee.log).toEqual(['INVITE', 'ACK', 'SIP/2.0 200 OK', 'INVITE', 'CANCEL', 'ACK', 'MESSAGE'])
  })

  it('hunts in order with --mode serial and --timeout', async () => {
    const [silent, ready] = [await phone(), await phone('udp://127.0.0.1:0', 200)]
    const hops = [silent, ready].flatMap(({ port }) => ['--next-hop', `sip:127.0.0.1:${port}`])
    const {
      ports: [port = 0],
    } = await serve(
      ...['stateful-proxy', '--listen', 'udp://127.0.0.1:0', '--mode', 'serial', '--timeout', '1'],
      ...hops,
    )
    const caller = await phone()
    const destination = { transport: 'UDP', address: '127.0.0.1', port }
    const call = await caller.stack.invite('sip:bob@example.com', { destination, sdp })
    await until(() => silent.log.includes('CANCEL'))
    await call.bye()
    expect(ready.log).toEqual(['INVITE', 'ACK', 'BYE'])
  })
})

describe('load-balancer', () => {
  it('spreads requests, and goes on to the next server when one is overloaded or not there', async () => {
    const [one, two, overloaded] = [await phone(), await phone(), await phone('udp://127.0.0.1:0', 503)]
    const backends = [one, two, overloaded].flatMap(({ port }) => ['--backend', `sip:127.0.0.1:${port}`])
    const gone = ['--backend', 'sip:127.0.0.1:9;transport=tcp']
    const listen = ['--listen', 'udp://127.0.0.1:0', '--listen', 'tcp://127.0.0.1:0']
    const {
      ports: [port = 0],
    } = await serve('load-balancer', ...listen, ...backends, ...gone, '--probe', '0')
    const caller = await phone()
    const destination = { transport: 'UDP', address: '127.0.0.1', port }
    const statuses: number[] = []
    for (let count = 0; count < 8; count += 1) {
      const { status } = await caller.stack.request({ method: 'MESSAGE', uri: 'sip:bob@example.com', destination })
      statuses.push(status)
    }
    expect(new Set(statuses)).toEqual(new Set([200]))
    const shares = [one, two].map(({ log }) => log.length)
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(3)
    expect(overloaded.log.length).toBeGreaterThan(0)
  })
})
