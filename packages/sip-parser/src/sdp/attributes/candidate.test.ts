import { describe, expect, it } from 'vitest'
import { candidateCodec, remoteCandidatesCodec } from './candidate'

describe('candidate', () => {
  it.each([
    [
      '1 1 UDP 2130706431 10.0.1.1 8998 typ host',
      {
        foundation: '1',
        component: 1,
        transport: 'UDP',
        priority: 2_130_706_431,
        address: '10.0.1.1',
        port: 8_998,
        type: 'host',
        extensions: [],
      },
    ],
    [
      'x/+ 2 tcp 1 a.local 9 typ srflx raddr 10.0.1.1 rport 0 tcptype active generation 0',
      {
        foundation: 'x/+',
        component: 2,
        transport: 'tcp',
        priority: 1,
        address: 'a.local',
        port: 9,
        type: 'srflx',
        relatedAddress: '10.0.1.1',
        relatedPort: 0,
        extensions: [
          ['tcptype', 'active'],
          ['generation', '0'],
        ],
      },
    ],
  ])('RFC 8839 §5.1: reads and writes %j', (text, value) => {
    expect(candidateCodec.decode(text)).toEqual({ ok: true, value })
    expect(candidateCodec.encode(value as never)).toEqual({ name: candidateCodec.name, value: text })
  })

  it.each([
    [undefined, 'SDP_CANDIDATE_INVALID', 0],
    ['1 0 UDP 1 a 1 typ host', 'SDP_CANDIDATE_INVALID', 2],
    ['1 1 UDP 1 a 65536 typ host', 'SDP_CANDIDATE_INVALID', 12],
    ['1 1 UDP 1 a 1 host', 'SDP_CANDIDATE_INVALID', 13],
    ['1 1 UDP 1 a 1 typ host odd', 'SDP_CANDIDATE_INVALID', 26],
  ])('RFC 8839 §5.1: refuses %j with %s', (text, code, offset) => {
    const result = candidateCodec.decode(text)
    expect(result.ok ? undefined : result.error).toMatchObject({ code, offset })
  })

  it.each([
    [
      '1 192.0.2.1 4000 2 192.0.2.1 4001',
      [
        { component: 1, address: '192.0.2.1', port: 4_000 },
        { component: 2, address: '192.0.2.1', port: 4_001 },
      ],
    ],
  ])('RFC 8839 §5.2: reads and writes %j', (text, value) => {
    expect(remoteCandidatesCodec.decode(text)).toEqual({ ok: true, value })
    expect(remoteCandidatesCodec.encode(value as never)).toEqual({ name: remoteCandidatesCodec.name, value: text })
  })

  it.each([['1 x', 'SDP_CANDIDATE_INVALID', 3]])('RFC 8839 §5.2: refuses %j with %s', (text, code, offset) => {
    const result = remoteCandidatesCodec.decode(text)
    expect(result.ok ? undefined : result.error).toMatchObject({ code, offset })
  })
})
