/** A guess at a password takes as long for a user who exists as for one who does not, over a real socket. */
import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { createNodeRandom, DigestVerifier, digest, SipStack } from '@carillon/sip-transaction'
import { describe, expect, it } from 'vitest'

const rounds = 200

function median(values: number[]): number {
  values.sort((a, b) => a - b)
  return values[values.length >> 1] ?? Number.NaN
}

describe('the time of a refusal', () => {
  it('does not tell who exists', async () => {
    const verifier = new DigestVerifier({ realm: 'test', secret: randomBytes(32), random: createNodeRandom() })
    const passwords = new Map(
      Array.from({ length: 1_000 }, (_, i): [string, string] => [`user${i}`, 'sixteen letters!']),
    )
    const refused = new Map<string, number>()
    const guard = digest.required(
      verifier,
      (username) => {
        const password = passwords.get(username)
        return password === undefined ? undefined : { password }
      },
      { onRefused: (_, reason) => refused.set(reason, (refused.get(reason) ?? 0) + 1) },
    )
    await using server = await SipStack.create({ listen: ['udp://127.0.0.1:0'] })
    server.method('OPTIONS', guard, (request) => request.reply(200))
    await using phone = await SipStack.create({ listen: ['udp://127.0.0.1:0'] })
    const uri = server.listeners[0]!.uri
    const guess = async (username: string) => {
      const began = performance.now()
      const response = await phone.request({ method: 'OPTIONS', uri, credentials: { username, password: 'a guess' } })
      expect(response.status).toBe(401)
      return performance.now() - began
    }
    const known: number[] = []
    const unknown: number[] = []
    for (let i = 0; i < rounds; i += 1) {
      // In turns, so that whatever else the machine does falls on both.
      known.push(await guess(`user${i}`))
      unknown.push(await guess(`nobody${i}`))
    }
    expect(refused.get('wrong')).toBe(2 * rounds)
    const [one, other] = [median(known), median(unknown)]
    expect(Math.abs(one - other)).toBeLessThan(0.25 * Math.max(one, other) + 0.1)
  })
})
