import { describe, expect, it } from 'vitest'
import { drawLadder } from './ladder'

describe('drawLadder', () => {
  it('draws who sent what to whom, in the order of time', () => {
    const lines = drawLadder('1001', '1002', [
      { atMs: 12, phone: 1, direction: 'in', startLine: 'INVITE sip:1002@127.0.0.1 SIP/2.0' },
      { atMs: 3, phone: 0, direction: 'out', startLine: 'INVITE sip:1002@127.0.0.1 SIP/2.0' },
      { atMs: 20, phone: 1, direction: 'out', startLine: 'SIP/2.0 200 OK' },
      { atMs: 21, phone: 0, direction: 'in', startLine: 'SIP/2.0 200 OK' },
    ])
    expect(lines).toHaveLength(5)
    expect(lines[1]).toMatch(/^ +3 ms \| -- INVITE -+> \| +\|$/)
    expect(lines[2]).toMatch(/^ +12 ms \| {32}\| -- INVITE -+> \|$|^ +12 ms \| +\| -- INVITE -+> \|$/)
    expect(lines[3]).toMatch(/^ +20 ms \| +\| <-- 200 OK -+ \|$/)
    expect(lines[4]).toMatch(/^ +21 ms \| <-- 200 OK -+ \| +\|$/)
  })
})
