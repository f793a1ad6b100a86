import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { CallFailedError } from '@carillon/sip-transaction'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Harness } from './server-harness'

let harness: Harness
let socket: Socket
const received: string[] = []

beforeEach(async () => {
  harness = await Harness.start()
  received.length = 0
  socket = createSocket('udp4')
  socket.on('message', (message) => received.push(message.toString('latin1')))
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
})

afterEach(async () => {
  await new Promise<void>((resolve) => socket.close(() => resolve()))
  await harness.close()
})

/** Sends one request as a phone would and waits for its final answer. */
async function ask(method: string, headers: readonly string[] = []): Promise<string> {
  const { port } = socket.address()
  const id = `${method}-${received.length}-${headers.length}`
  const lines = [
    `${method} sip:1001@127.0.0.1 SIP/2.0`,
    `Via: SIP/2.0/UDP 192.0.2.1:${port};branch=z9hG4bK-${id};rport`,
    'Max-Forwards: 70',
    'From: <sip:1001@127.0.0.1>;tag=phone',
    'To: <sip:1001@127.0.0.1>',
    `Call-ID: ${id}`,
    `CSeq: 1 ${method}`,
    `Contact: <sip:1001@127.0.0.1:${port}>;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000000000001>"`,
    'Supported: 100rel, timer, outbound, path, gruu, replaces',
    ...headers,
    'Content-Length: 0',
  ]
  socket.send(`${lines.join('\r\n')}\r\n\r\n`, harness.listener().port, '127.0.0.1')
  for (let tries = 0; tries < 200; tries += 1) {
    const answer = received.find((text) => text.includes(`Call-ID: ${id}\r\n`) && !text.startsWith('SIP/2.0 1'))
    if (answer !== undefined) return answer
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`${method} was not answered`)
}

const statusOf = (answer: string) => Number(answer.slice(8, 11))

describe('what phones send beside calls', () => {
  it.each([
    ['SUBSCRIBE', ['Event: message-summary', 'Accept: application/simple-message-summary', 'Expires: 3600']],
    ['PUBLISH', ['Event: presence', 'Expires: 3600']],
    ['NOTIFY', ['Event: keep-alive']],
    ['MESSAGE', []],
    ['INFO', []],
    ['REFER', ['Refer-To: <sip:1003@127.0.0.1>']],
  ])(
    'RFC 3261 §8.2.1: %s outside of a call gets a plain 405 with Allow, and is held against nobody',
    async (method, headers) => {
      for (let times = 0; times < 3; times += 1) {
        const answer = await ask(method, headers)
        expect(statusOf(answer)).toBe(405)
        expect(answer).toMatch(/^Allow: .*REGISTER/m)
        expect(answer).toMatch(/^To: .*;tag=/m)
      }
      expect(harness.server.stats().loginSources).toBe(0)
      const phone = await harness.phone('1001')
      expect(await phone.register()).toBe(200)
    },
  )

  it('RFC 3262 §3, RFC 3311 §5: PRACK and UPDATE outside of a call get 481, and are held against nobody', async () => {
    expect(statusOf(await ask('PRACK', ['RAck: 1 1 INVITE']))).toBe(481)
    expect(statusOf(await ask('UPDATE'))).toBe(481)
    expect(harness.server.stats().loginSources).toBe(0)
  })

  it('RFC 3261 §8.2.1: a method that nobody knows gets 501', async () => {
    expect(statusOf(await ask('FROBNICATE'))).toBe(501)
  })

  it('keep-alives of every kind get no answer and harm nothing', async () => {
    const { port } = harness.listener()
    for (const bytes of ['', '\r\n\r\n', '\r\n', '\0\0\0\0', '\0', ' ', 'hello']) socket.send(bytes, port, '127.0.0.1')
    expect(statusOf(await ask('OPTIONS'))).toBe(200)
    expect(received).toHaveLength(1)
  })

  it('RFC 3262 §3, RFC 4028 §9: 100rel and timer may be required, what nobody has is refused by its name', async () => {
    const challenge = await ask('INVITE', ['Session-Expires: 1800;refresher=uac', 'Min-SE: 90'])
    expect(statusOf(challenge)).toBe(407)
    for (const name of ['Require', 'RSeq', 'Session-Expires'])
      expect(challenge).not.toMatch(new RegExp(`^${name}:`, 'm'))
    for (const tag of ['100rel', 'timer'])
      expect(statusOf(await ask('INVITE', [`Require: ${tag}`, `X-Tag: ${tag}`]))).toBe(407)
    const refusal = await ask('INVITE', ['Require: 100rel, gruu', 'X-Tag: both', 'X-More: 1'])
    expect(statusOf(refusal)).toBe(420)
    expect(refusal).toMatch(/^Unsupported: gruu\r$/m)
    const tooShort = await ask('INVITE', ['Session-Expires: 30', 'X-Tag: short', 'X-More: 2', 'X-Most: 3'])
    expect(statusOf(tooShort)).toBe(422)
    expect(tooShort).toMatch(/^Min-SE: 90\r$/m)
  })

  it('RFC 3262 §3, RFC 4028 §9: each leg of a call negotiates with its own phone', async () => {
    const caller = await harness.phone('1001')
    const callee = await harness.phone('1002')
    const heard = { caller: [] as string[], callee: [] as string[] }
    caller.stack.on('messageIn', ({ startLine }) => heard.caller.push(startLine))
    callee.stack.on('messageIn', ({ startLine }) => heard.callee.push(startLine))
    callee.stack.method('INVITE', (request) => {
      request.reply(183, { reliable: true, body: callee.voice.sdp() })
      request.reply(200, { body: callee.voice.sdp() })
    })
    const call = await caller.call('1002')
    // The server acknowledges what its callee wants acknowledged; its caller required nothing.
    expect(heard.callee.filter((line) => line.startsWith('PRACK '))).toHaveLength(1)
    expect(heard.caller.some((line) => line.startsWith('SIP/2.0 183'))).toBe(true)
    expect(heard.caller.filter((line) => line.startsWith('PRACK '))).toEqual([])
    expect(call.sessionTimer).toEqual({ seconds: 1_800, isLocal: true })
    expect((await call.update()).status).toBe(200)
    expect(heard.callee.filter((line) => line.startsWith('UPDATE '))).toEqual([])
    await call.bye()
  })
})

describe('a stream that cannot be read any further', () => {
  it.each([
    ['Content-Length: none', 400],
    ['Content-Length: 999999999', 413],
    ['X-No-Length: at all', 400],
  ])('RFC 3261 §18.3: %s is answered %i on its connection, which is then closed', async (line, status) => {
    const stream = connect(harness.listener('tcp').port, '127.0.0.1')
    let text = ''
    stream.on('data', (chunk) => {
      text += chunk.toString('latin1')
    })
    await once(stream, 'connect')
    const head = `OPTIONS sip:127.0.0.1 SIP/2.0
Via: SIP/2.0/TCP 127.0.0.1:1;branch=z9hG4bKlength;rport
From: <sip:a@127.0.0.1>;tag=1
To: <sip:127.0.0.1>
Call-ID: length
CSeq: 1 OPTIONS
${line}`
    stream.write(`${head.replaceAll('\n', '\r\n')}\r\n\r\n${head}`)
    await once(stream, 'close')
    expect(text).toMatch(new RegExp(`^SIP/2.0 ${status} `))
    expect(text.match(/^SIP/gm)).toHaveLength(1)
    expect(text).toContain('branch=z9hG4bKlength;rport=')
    expect(harness.server.stats().stack.connections).toBe(0)
  })
})

describe('registrations as phones make them', () => {
  it('RFC 3261 §10.2: registers, refreshes in place, and takes itself away again, its own parameters kept', async () => {
    const phone = await harness.phone('1001', { register: false })
    const contact = '<sip:1001@127.0.0.1:5999;ob>;+sip.instance="<urn:uuid:0001>";reg-id=1'
    const register = (value: string, cseq: number) =>
      phone.stack.request({
        method: 'REGISTER',
        uri: phone.address(),
        from: `<${phone.address()}>`,
        to: `<${phone.address()}>`,
        callId: 'one-phone',
        cseq,
        contact: value,
        credentials: { username: '1001', password: 'correct horse 1001' },
        headers: [['Supported', 'path, outbound, gruu']],
      })
    const first = await register(`${contact};expires=120`, 1)
    expect([first.status, first.contacts.length, first.contacts[0]?.expires]).toEqual([200, 1, 120])
    expect(first.contacts[0]?.instance).toContain('urn:uuid:0001')
    expect([first.get('Require'), first.get('Service-Route')]).toEqual(['outbound', undefined])
    const again = await register(`${contact};expires=600`, 10)
    expect([again.status, again.contacts.length, again.contacts[0]?.expires]).toEqual([200, 1, 600])
    const gone = await register(`${contact};expires=0`, 20)
    expect([gone.status, gone.contacts.length]).toEqual([200, 0])
    expect(harness.server.stats().registrations).toBe(0)
  })
})

describe('calls that lead back to the server', () => {
  it('RFC 3261 §16.3: a phone registered at the address of the server itself makes no loop', async () => {
    const caller = await harness.phone('1001')
    const looped = await harness.phone('1002', { register: false })
    const { status } = await looped.stack.request({
      method: 'REGISTER',
      uri: looped.address(),
      from: `<${looped.address()}>`,
      to: `<${looped.address()}>`,
      contact: `<sip:1002@127.0.0.1:${harness.listener().port}>`,
      credentials: { username: '1002', password: 'battery staple 1002' },
    })
    expect(status).toBe(200)
    const error = await caller.call('1002').catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(CallFailedError)
    expect((error as CallFailedError).status).toBe(403)
    await harness.logged('call.ended')
    expect(harness.server.stats().calls).toBe(0)
    expect(harness.lines.filter((line) => line.event === 'call.ended')).toHaveLength(1)
  })
})

describe('a server that is known by another address', () => {
  it('writes the advertised address into Contact and Via, and listens on its own', async () => {
    await harness.close()
    harness = await Harness.start({ advertisedAddress: '203.0.113.7' })
    const caller = await harness.phone('1001')
    const callee = await harness.phone('1002')
    const seen = new Promise<string>((resolve) =>
      callee.stack.method('INVITE', (request) => {
        resolve(request.message.toString())
        request.reply(486)
      }),
    )
    await caller.call('1002').catch(() => {})
    const invite = await seen
    expect(invite).toMatch(/^Contact: <sip:1001@203\.0\.113\.7:\d+>/m)
    expect(invite).toMatch(/^Via: SIP\/2\.0\/UDP 203\.0\.113\.7:\d+;/m)
    expect(harness.listener().host).toBe('127.0.0.1')
  })
})
