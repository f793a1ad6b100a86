import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createLogger } from './logger'

function capture(level: 'debug' | 'info' | 'silent') {
  const lines: string[] = []
  return { lines, logger: createLogger(level, { write: (line) => lines.push(line) }) }
}

describe('createLogger', () => {
  it('writes one JSON line with level, time and message', () => {
    const { lines, logger } = capture('info')
    logger.info({ event: 'call.ended', billsec: 3 }, 'call ended')
    logger.debug({}, 'not shown')
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0] as string)).toMatchObject({
      level: 'info',
      event: 'call.ended',
      billsec: 3,
      msg: 'call ended',
    })
    expect(lines[0]).toMatch(/"time":"\d{4}-\d\d-\d\dT/)
    expect(lines[0]).not.toContain('hostname')
  })

  it('takes secrets out, at the top and one level down', () => {
    const { lines, logger } = capture('debug')
    logger.error({ password: 'hunter2', user: { password: 'hunter2', ha1: 'hunter2' }, nonce: 'hunter2' }, 'x')
    expect(lines.join('')).not.toContain('hunter2')
  })

  it('keeps line breaks of a peer inside its field', () => {
    const { lines, logger } = capture('info')
    logger.warn({ username: 'a"\r\n{"level":"info"}' }, 'x')
    expect(lines.join('').trimEnd().split('\n')).toHaveLength(1)
  })

  it('has written everything once it is closed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'carillon-log-'))
    const fd = openSync(join(folder, 'log'), 'w')
    const logger = createLogger('info', fd)
    for (let line = 0; line < 5_000; line++) logger.info({ line }, 'x')
    await logger.close()
    expect(readFileSync(join(folder, 'log'), 'utf8').split('\n')).toHaveLength(5_001)
    rmSync(folder, { recursive: true })
  })

  it.skipIf(!existsSync('/dev/full'))('neither throws nor waits for ever where the disk is full', async () => {
    const fd = openSync('/dev/full', 'w')
    const logger = createLogger('info', fd)
    logger.info({}, 'x')
    await new Promise((resolve) => setTimeout(resolve, 50))
    logger.info({}, 'y')
    await logger.close()
    closeSync(fd)
  })

  it('can be silent', () => {
    const { lines, logger } = capture('silent')
    logger.error({}, 'x')
    expect(lines).toEqual([])
  })
})
