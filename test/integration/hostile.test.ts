import { once } from 'node:events'
import { connect } from 'node:net'
import { configFrom, resolveAddresses } from '@carillon/server'
import type { Call } from '@carillon/sip-transaction'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { serve } from '../../packages/server/src/main'
import { RawPhone, request } from './raw-phone'
import { Harness } from './server-harness'

let harness: Harness
const phones: RawPhone[] = []
beforeEach(async () => {
  harness = await Harness.start({ media: { address: '127.0.0.1', ports: '31000-31007' } })
})
afterEach(async () => {
  for (const phone of phones.splice(0)) phone.close()
  await harness.close()
})

async function rawPhone(address?: string): Promise<RawPhone> {
  const phone = await RawPhone.open(harness.listener().port, address)
  phones.push(phone)
  return phone
}

/** Waits until nothing of a call is left. */
async function expectNothingLeft(): Promise<void> {
  await expect.poll(() => harness.server.stats().stack.ringing).toBe(0)
  const { calls, media, stack } = harness.server.stats()
  expect({ calls, sessions: media.sessions, bridges: stack.bridges }).toEqual({ calls: 0, sessions: 0, bridges: 0 })
}

describe('a hostile peer', () => {
  it.each(['INVITE', 'OPTIONS', 'REGISTER', 'MESSAGE'])(
    'RFC 3261 §21.4.1: %s with a Require that cannot be read is answered 400 and forgotten',
    async (method) => {
      const phone = await rawPhone()
      for (const value of ['"', ';', '']) {
        expect(await phone.ask(request(method, { headers: [`Require: ${value}`] }))).toMatch(/^SIP\/2\.0 400 /)
      }
      await expectNothingLeft()
      expect(harness.lines.filter((line) => line.level === 'error')).toEqual([])
    },
  )

  it('leaves no call behind when the INVITE has a Record-Route or Contact that cannot be read', async () => {
    const phone = await rawPhone()
    const bad = [['Record-Route: <<<'], ['Record-Route: x y z'], ['Contact: <<<']]
    for (const headers of bad) {
      expect(await phone.ask(request('INVITE', { headers, contact: false }))).toMatch(/^SIP\/2\.0 400 /)
    }
    await expectNothingLeft()
  })

  it('RFC 3261 §26.3.2.4: a forged source gets one challenge for one INVITE, not eleven', async () => {
    const phone = await rawPhone()
    expect(await phone.ask(request('INVITE'))).toMatch(/^SIP\/2\.0 407 /)
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    expect(phone.received.filter((text) => text.startsWith('SIP/2.0 407'))).toHaveLength(1)
  })

  it('RFC 3261 §18.2.1, RFC 3581: no Via leads the answer to a third party', async () => {
    const [phone, victim] = [await rawPhone(), await rawPhone('127.0.0.2')]
    for (const extra of ['', ';maddr=127.0.0.2', ';received=127.0.0.2', `;rport=${victim.port}`]) {
      phone.send(request('OPTIONS', { via: `127.0.0.2:${victim.port}`, viaParams: extra }))
    }
    await phone.ask(request('OPTIONS'))
    expect(victim.received).toEqual([])
  })

  it('RFC 3261 §19.1.1: a Contact with maddr sends no call to a third party', async () => {
    const [phone, victim] = [await rawPhone(), await rawPhone('127.0.0.2')]
    const contact = `<sip:1002@127.0.0.1:${victim.port};maddr=127.0.0.2>`
    expect(await phone.register('1002', 'battery staple 1002', contact)).toMatch(/^SIP\/2\.0 200 /)
    const caller = await harness.phone('1001')
    const giveUp = new AbortController()
    const calling = caller.call('1002', giveUp.signal)
    await expect.poll(() => phone.received.some((text) => text.startsWith('INVITE'))).toBe(true)
    expect(victim.received).toEqual([])
    giveUp.abort()
    await expect(calling).rejects.toThrow()
    phone.send(phone.answerTo('INVITE', '487 Request Terminated'))
  })

  it('RFC 3261 §21.5.4: out of ports is 503, and every port comes back', async () => {
    const caller = await harness.phone('1001')
    const callee = await harness.phone('1002')
    callee.answerCalls(0, () => {})
    const { portsFree } = harness.server.stats().media
    // Other programs may hold some of these few ports, so how many calls there is room for is found by trying.
    const calls: Awaited<ReturnType<typeof caller.call>>[] = []
    let refused: unknown
    while (refused === undefined && calls.length <= portsFree) {
      await caller.call('1002').then(
        (call) => calls.push(call),
        (error: unknown) => {
          refused = error
        },
      )
    }
    expect(refused).toMatchObject({ status: 503 })
    for (const call of calls) await call.bye()
    await expect.poll(() => harness.server.stats().calls).toBe(0)
    expect(harness.server.stats().media.portsFree).toBe(portsFree)
  })

  it('reads one stream in turns, so that a flood on it keeps nobody waiting', async () => {
    const socket = connect(harness.listener('tcp').port, '127.0.0.1').resume()
    await once(socket, 'connect')
    const handled = () => harness.server.stats().stack.counters.requestsIn
    const count = 6_000
    socket.write(Array.from({ length: count }, () => request('OPTIONS', { transport: 'TCP' })).join(''))
    let mostAtOnce = 0
    let before = 0
    for (let turns = 0; before < count && turns < 100_000; turns++) {
      await new Promise((resolve) => setImmediate(resolve))
      const now = handled()
      mostAtOnce = Math.max(mostAtOnce, now - before)
      before = now
    }
    expect(before).toBe(count)
    // One read of 64 KiB holds some two hundred of them.
    expect(mostAtOnce).toBeLessThan(600)
    socket.destroy()
  })
})

describe('stopping', () => {
  it('takes two signals at once for one: the call may go on', async () => {
    let signal = () => {}
    let banner = ''
    const host = {
      stdout: (text: string) => {
        banner += text
      },
      stderr: () => {},
      onStopSignal: (listener: () => void) => {
        signal = listener
        return () => {}
      },
    }
    const users = ['1001', '1002'].map((extension) => ({ extension, password: `pass word ${extension}` }))
    const config = configFrom({
      sip: { listen: ['udp://127.0.0.1:0'] },
      media: { address: '127.0.0.1', ports: '31010-31019' },
      log: { level: 'silent' },
      drainTimeoutMs: 10_000,
      users,
    })
    const exit = serve(config, resolveAddresses(config, { ipv4: '127.0.0.1', ipv6: '::1' }), host)
    await expect.poll(() => banner).toMatch(/udp:\/\/127\.0\.0\.1:\d+/)
    const port = Number(/udp:\/\/127\.0\.0\.1:(\d+)/.exec(banner)?.[1])
    const listener = { transport: 'udp', host: '127.0.0.1', port }
    const open = (user: (typeof users)[number], ssrc: number) => Harness.agent({ ...user, server: listener, ssrc })
    const [caller, callee] = await Promise.all(users.map((user, index) => open(user, index + 1)))
    if (!caller || !callee) throw new Error('no phones')
    const answered = new Promise<Call>((resolve) => callee.answerCalls(0, resolve))
    const call = await caller.call('1002')
    await answered
    signal()
    signal()
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(call.state).toBe('active')
    await call.bye()
    expect(await exit).toBe(0)
    await Promise.all([caller.close(), callee.close()])
  })
})
