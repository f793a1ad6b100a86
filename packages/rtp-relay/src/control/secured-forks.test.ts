import { describe, expect, it } from 'vitest'
import { A, B, type World, world } from '../testing/fixture'
import { rtpPacket, targetOf } from '../testing/packets'
import { sdpOfA, sdpOfB } from '../testing/secured-call'
import { cryptosOf, SecuredPhone } from '../testing/secured-phone'

const suite = 'AES_CM_128_HMAC_SHA1_80'
const branches = ['one', 'two'] as const

interface SecuredBranch {
  readonly phone: SecuredPhone
  readonly offer: Uint8Array
  readonly answer: Uint8Array
}

/** A call that forks, encrypted on every side; the caller makes one offer, which goes to both branches. */
async function forked({ relay }: World) {
  const session = relay.createSession('call')
  const a = new SecuredPhone()
  const sdp = sdpOfA(a, [suite])
  const made: SecuredBranch[] = []
  for (const viaBranch of branches) {
    const phone = new SecuredPhone()
    const offer = await session.offer(sdp, { from: 'a', viaBranch, sdes: {} })
    const answer = await session.answer(sdpOfB(phone, offer, suite), { from: 'b', viaBranch })
    made.push({ phone, offer, answer })
  }
  return { session, a, made }
}

describe('SRTP over the branches of a fork', () => {
  it('RFC 3711 §9.1: has keys of its own towards every party of each branch', async () => {
    const { made } = await forked(await world())
    const keys = made.flatMap(({ offer, answer }) => [...cryptosOf(offer), ...cryptosOf(answer)])
    const given = keys.map(({ keys: [key] }) => key?.keySalt)
    expect(given.length).toBeGreaterThan(3)
    expect(new Set(given).size).toBe(given.length)
  })

  it("opens what the caller sends in each branch on its own, and encrypts it with that branch's key", async () => {
    const call = await world()
    const { a, made } = await forked(call)
    const packet = rtpPacket({ sequence: 7 })
    const heard = made.map(({ phone, answer }) => {
      a.answered(answer)
      const toA = call.network.at(targetOf(answer).port)
      // The same sequence number in both: no branch takes it for a replay of the other.
      const [sent] = call.network.deliver(toA, a.protect(packet), A.address, A.port)
      expect(sent).toMatchObject(B)
      expect(phone.open(sent!.packet)).toEqual(packet)
      return sent!.packet
    })
    expect(heard[0]).not.toEqual(heard[1])
    expect(made[1]?.phone.open(heard[0]!)).toBeUndefined()
    expect(made[0]?.phone.open(heard[1]!)).toBeUndefined()
  })

  it("does not take one phone's packets in the branch of another", async () => {
    const call = await world()
    const { session, made } = await forked(call)
    const [one, two] = made
    const toTwo = call.network.at(targetOf(two!.offer).port)
    const packet = rtpPacket({ sequence: 1 })
    expect(call.network.deliver(toTwo, one!.phone.protect(packet), B.address, B.port)).toEqual([])
    expect(session.snapshot().streams[1]?.b).toMatchObject({ packets: 0, dropped: { unauthenticated: 1 } })
    expect(call.network.deliver(toTwo, two!.phone.protect(packet), B.address, B.port)).toMatchObject([A])
  })

  it('goes on in the branch that wins with the keys and the indices that it had', async () => {
    const call = await world()
    const { session, a, made } = await forked(call)
    const [, two] = made
    a.answered(two!.answer)
    const toA = call.network.at(targetOf(two!.answer).port)
    const pass = (sequence: number): Buffer | undefined => {
      const [sent] = call.network.deliver(toA, a.protect(rtpPacket({ sequence })), A.address, A.port)
      return sent && two!.phone.open(sent.packet)
    }
    expect(pass(65_535)).toBeDefined()
    expect(pass(0)).toBeDefined()
    await session.chooseBranch('two')
    // After the wrap the roll-over counter is 1 on both sides.
    expect(pass(1)).toEqual(rtpPacket({ sequence: 1 }))
  })
})
