import { describe, expect, it } from 'vitest'
import { DroppedReport, growth } from './dropped-report'

describe('growth', () => {
  it('has only what grew', () => {
    expect(growth({ a: 1, b: 2 }, { a: 1, b: 5, c: 1 })).toEqual({ b: 3, c: 1 })
    expect(growth({ a: 1 }, { a: 1 })).toBeUndefined()
  })
})

describe('DroppedReport', () => {
  it('says what was dropped since the last time, in one line, as long as it is open', () => {
    const lines: unknown[] = []
    const nothing = () => {}
    const logger = { debug: nothing, info: nothing, error: nothing, warn: (fields: unknown) => lines.push(fields) }
    let wake: (() => void) | undefined
    const schedule = (_atMs: number, next: () => void) => {
      wake = next
      return { cancel: () => (wake = undefined) }
    }
    const clock = { monotonicMs: () => 0, wallMs: () => 0, schedule }
    const counts = { garbage: 3 }
    const report = new DroppedReport(() => ({ ...counts }), { clock, logger }, 1_000)
    wake?.()
    expect(lines).toEqual([])
    counts.garbage = 5
    wake?.()
    expect(lines).toEqual([{ event: 'input.dropped', dropped: { garbage: 2 } }])
    counts.garbage = 10
    report.close()
    expect(lines[1]).toEqual({ event: 'input.dropped', dropped: { garbage: 5 } })
    expect(wake).toBeUndefined()
  })
})
