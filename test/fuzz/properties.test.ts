/** Properties of the parser that hold for every input, tried on generated ones; a failing one is printed with its seed. */
import { createRequest, parseMessage, StreamFramer } from '@carillon/sip-parser'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const token = fc.stringMatching(/^[A-Za-z0-9.!%*_+`'~-]{1,12}$/)
const text = fc.stringMatching(/^[ -~]{0,40}$/).map((value) => value.trim())
const host = fc.constantFrom('example.com', '192.0.2.7', '[2001:db8::9:1]', 'localhost')
const address = fc
  .tuple(token, host, token)
  .map(([user, at, tag]) => `<sip:${encodeURIComponent(user)}@${at}>;tag=${tag}`)

const request = fc
  .record({
    method: fc.constantFrom('OPTIONS', 'MESSAGE', 'INVITE', 'X-NEW'),
    branch: token,
    from: address,
    to: address,
    seq: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    extra: fc.array(
      fc.tuple(
        token.map((name) => `X-${name}`),
        text,
      ),
      { maxLength: 6 },
    ),
    body: fc.uint8Array({ maxLength: 200 }),
  })
  .map(({ method, branch, from, to, seq, extra, body }) =>
    createRequest({
      method,
      uri: 'sip:someone@example.com',
      headers: [
        ['Via', `SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK${branch}`],
        ['From', from],
        ['To', to],
        ['Call-ID', `${branch}@192.0.2.1`],
        ['CSeq', `${seq} ${method}`],
        ['Max-Forwards', 70],
        ...extra,
      ],
      body,
      contentType: 'application/octet-stream',
    }).toBytes(),
  )

describe('properties of the parser', () => {
  it('reading and writing an untouched message is the identity on its bytes', () => {
    fc.assert(
      fc.property(request, (bytes) => {
        const result = parseMessage(bytes)
        expect(result.ok).toBe(true)
        if (result.ok) expect(Buffer.compare(result.message.toBytes(), bytes)).toBe(0)
      }),
    )
  })

  it('any split of a stream gives the same messages', () => {
    fc.assert(
      fc.property(
        fc.array(request, { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(1_000), { maxLength: 20 }),
        (messages, sizes) => {
          const stream = Buffer.concat(messages)
          const framer = new StreamFramer()
          const found: Uint8Array[] = []
          let at = 0
          for (const size of [...sizes, stream.length]) {
            for (const event of framer.push(stream.subarray(at, at + size)))
              if (event.kind === 'message') found.push(event.bytes)
            at = Math.min(stream.length, at + size)
          }
          expect(found.map((bytes) => Buffer.from(bytes).toString('latin1'))).toEqual(
            messages.map((bytes) => Buffer.from(bytes).toString('latin1')),
          )
          expect(framer.isIdle).toBe(true)
        },
      ),
    )
  })

  it('arbitrary bytes never throw, and what is refused says where', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const result = parseMessage(bytes)
        if (!result.ok) {
          expect(result.error.offset).toBeGreaterThanOrEqual(0)
          expect(result.error.offset).toBeLessThanOrEqual(bytes.length)
          expect(result.error.sentence).not.toBe('')
        }
      }),
      { numRuns: 500 },
    )
  })
})
