import { describe, expect, it } from 'vitest'
import { phoneSdp, type RawPeer, Scenario } from '../fixtures/scenario'

/** The lines of an answer to the last request that the peer got. */
function answerTo(peer: RawPeer, status: string, extra: readonly string[] = []): string[] {
  const request = peer.received.at(-1) ?? ''
  const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].map((name) => {
    const line = new RegExp(`^${name}: .*$`, 'im').exec(request)?.[0] ?? ''
    return name === 'To' && !line.includes(';tag=') ? `${line};tag=peer` : line
  })
  const [via = '', ...rest] = copied
  return [`SIP/2.0 ${status}`, via, ...extra, ...rest]
}

const contact = (peer: RawPeer) => [`Contact: <sip:${peer.address}>`, 'Content-Type: application/sdp']

describe('responses that are unusual', () => {
  it('RFC 3261 §8.1.3.2: a status that nobody knows counts as the x00 of its class', async () => {
    const scenario = new Scenario()
    const alice = await scenario.stack('alice')
    const peer = await scenario.raw('peer')
    const seen: number[] = []
    const onProvisional = ({ status }: { readonly status: number }) => seen.push(status)
    const calling = alice.invite(`sip:${peer.address}`, { sdp: phoneSdp('alice'), onProvisional })
    await scenario.pass(100)
    peer.send('10.0.0.1', answerTo(peer, '187 Odd', contact(peer)))
    await scenario.pass(100)
    peer.send('10.0.0.1', answerTo(peer, '287 Odd', contact(peer)), phoneSdp('peer'))
    const call = await scenario.settle(calling)
    expect(seen).toEqual([187])
    expect(scenario.ladder.slice(-1)).toEqual(['alice>peer ACK'])
    const ending = call.bye()
    await scenario.pass(100)
    peer.send('10.0.0.1', answerTo(peer, '287 Odd'))
    await scenario.settle(ending)

    const refused = alice.invite(`sip:${peer.address}`, { sdp: phoneSdp('alice') })
    refused.catch(() => {})
    await scenario.pass(100)
    peer.send('10.0.0.1', answerTo(peer, '497 Odd'))
    await expect(scenario.settle(refused)).rejects.toMatchObject({ name: 'CallFailedError', status: 497 })
    expect(scenario.ladder.slice(-1)).toEqual(['alice>peer ACK'])
  })
})
