/** What a finished transaction costs until its timer ends, beside its last response, and that nothing stays after it. */
import { createRequest, parseMessage, responseTo, type SipMessage, SipRequest } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { LayerHarness } from '../testing/layer-harness'
import { retainedBytes } from '../testing/retained-memory'

const count = 20_000
const bytesMax = 600

function request(method: string, number: number, extra: readonly [string, string][] = []): SipRequest {
  const message = parsed(
    createRequest({
      method,
      uri: 'sip:bob@example.com',
      headers: [
        ['Via', `SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK${number}.4d1c8a7e55f0`],
        ['Max-Forwards', 70],
        ['From', `<sip:alice@example.com>;tag=${number}a93f`],
        ['To', '<sip:bob@example.com>'],
        ['Call-ID', `${number}-8f3b22c0@192.0.2.1`],
        ['CSeq', `1 ${method}`],
        ...extra,
      ],
    }).toBytes(),
  )
  if (!(message instanceof SipRequest)) throw new Error('not a request')
  return message
}

function parsed(bytes: Uint8Array): SipMessage {
  const result = parseMessage(bytes)
  if (!result.ok) throw new Error(result.error.sentence)
  return result.message
}

const kinds: readonly { name: string; run: (harness: LayerHarness, number: number) => number; state: string }[] = [
  {
    name: 'non-INVITE server (completed)',
    state: 'nonInviteServer',
    run: (harness, number) => {
      const asked = request('OPTIONS', number)
      const response = responseTo(asked, 200, { toTag: 'b' })
      harness.respond(harness.begin(asked), response)
      return response.toBytes().length
    },
  },
  {
    name: 'INVITE server (accepted)',
    state: 'inviteServer',
    run: (harness, number) => {
      const asked = request('INVITE', number)
      const response = responseTo(asked, 200, { toTag: 'b' })
      harness.respond(harness.begin(asked), response)
      return response.toBytes().length
    },
  },
  {
    name: 'INVITE server (accepted, released)',
    state: 'inviteServer',
    run: (harness, number) => {
      const asked = request('INVITE', number)
      const id = harness.begin(asked)
      harness.layer.release(id)
      harness.respond(id, responseTo(asked, 200, { toTag: 'b' }))
      return 1
    },
  },
  {
    name: 'INVITE server (confirmed)',
    state: 'inviteServer',
    run: (harness, number) => {
      const asked = request('INVITE', number)
      const response = responseTo(asked, 486, { toTag: 'b' })
      harness.respond(harness.begin(asked), response)
      harness.receive(request('ACK', number))
      return response.toBytes().length
    },
  },
  {
    name: 'non-INVITE client (completed)',
    state: 'nonInviteClient',
    run: (harness, number) => {
      const asked = request('OPTIONS', number)
      harness.send(asked)
      harness.answer(asked, 200)
      return 0
    },
  },
  {
    name: 'INVITE client (completed)',
    state: 'inviteClient',
    run: (harness, number) => {
      const asked = request('INVITE', number)
      harness.send(asked)
      harness.answer(asked, 486)
      // What is kept to be sent again is the ACK.
      return 330
    },
  },
]

describe('memory of finished transactions', () => {
  it.each(kinds)('$name: at most 600 bytes beside what it may send again, and nothing in the end', (kind) => {
    const harness = new LayerHarness({ limits: { finishedTransactionsMax: 2 * count } })
    // Once through, so that code and tables of their own size are not counted.
    for (let number = 0; number < 200; number += 1) kind.run(harness, -number)
    harness.advance(100_000)
    harness.out.length = 0
    const before = retainedBytes()
    let kept = 0
    for (let number = 1; number <= count; number += 1) {
      kept += kind.run(harness, number)
      harness.out.length = 0
    }
    expect(harness.layer.counts).toMatchObject({ [kind.state]: count, finished: count })
    const each = (retainedBytes() - before - kept) / count
    console.log(`${kind.name}: ${each.toFixed(0)} bytes beside the last response`)
    expect(each).toBeLessThan(bytesMax)
    harness.advance(100_000)
    harness.out.length = 0
    expect(harness.layer.counts).toMatchObject({ total: 0, bytes: 0 })
    // A page or two of tables that shrink late is no leak.
    expect((retainedBytes() - before) / count).toBeLessThan(60)
  })
})
