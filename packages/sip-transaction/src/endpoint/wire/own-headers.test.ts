import { describe, expect, it } from 'vitest'
import { phoneSdp, Scenario } from '../fixtures/scenario'
import { checkedOwnHeaders } from './own-headers'

describe('headers of every request', () => {
  it('are in requests outside of calls and inside, and what a request says itself goes before', async () => {
    const scenario = new Scenario()
    const headers = [
      ['X-Tenant', 'blue'],
      ['Organization', 'Example'],
    ] as const
    const [alice, bob] = [await scenario.stack('alice', { headers }), await scenario.stack('bob')]
    const seen: string[] = []
    const note = (method: string, get: (name: string) => string | undefined) =>
      seen.push(`${method} ${get('X-Tenant')} ${get('Organization')}`)
    bob.on('messageIn', ({ message }) => {
      if (message?.kind === 'request') note(message.method, (name) => message.get(name))
    })
    bob.method('MESSAGE', (request) => request.reply(200))
    bob.method('INVITE', async (request) => {
      const call = await request.accept({ sdp: phoneSdp('bob') })
      call.onRequest((inside) => inside.reply(200))
    })
    const asking = alice.request({ method: 'MESSAGE', uri: bob.uri, body: 'x', headers: [['organization', 'Other']] })
    await scenario.clock.advance(1_000)
    await asking
    const calling = alice.invite(bob.uri, { sdp: phoneSdp('alice') })
    await scenario.clock.advance(1_000)
    const call = await calling
    const ending = call.bye()
    await scenario.clock.advance(1_000)
    await ending
    expect(seen).toEqual(['MESSAGE blue Other', 'INVITE blue Example', 'ACK blue Example', 'BYE blue Example'])
    await scenario.settle(Promise.all(scenario.stacks.map((stack) => stack.close())))
  })

  it.each(['Via', 'call-id', 'CSeq', 'Route', 'Contact', 'v', 'Content-Length', 'Bad Name', ''])(
    '"%s" is none of them',
    (name) => {
      expect(() =>
        checkedOwnHeaders([
          ['X-Good', '1'],
          [name, '1'],
        ]),
      ).toThrow(expect.objectContaining({ name: 'SipUsageError', code: 'HEADERS_INVALID' }))
    },
  )

  it('a value with a line end is none, and a stack with one is not made', async () => {
    const scenario = new Scenario()
    const headers = [['X-Tenant', 'blue\r\nVia: SIP/2.0/UDP evil']] as const
    await expect(scenario.stack('alice', { headers })).rejects.toMatchObject({ code: 'HEADERS_INVALID' })
  })
})
