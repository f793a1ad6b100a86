#!/usr/bin/env node
/* Starts the command: reads the files, prints what the command says. */
'use strict'

const { open } = require('node:fs/promises')
const { version } = require('../package.json')
const { commandInputBytesMax, inspectEach, planCommand } = require('../dist/cli.cjs')

async function readAll(stream) {
  const chunks = []
  let size = 0
  for await (const chunk of stream) {
    chunks.push(chunk)
    size += chunk.length
    // One byte too many is enough for the verdict.
    if (size > commandInputBytesMax) break
  }
  return Buffer.concat(chunks)
}

const REASONS = { ENOENT: 'there is no such file', EISDIR: 'is a directory', EACCES: 'must not be read' }

async function readInput(name) {
  try {
    if (name === '-') return { name, bytes: await readAll(process.stdin) }
    const file = await open(name, 'r')
    return { name, bytes: await readAll(file.createReadStream()) }
  } catch (error) {
    return { name, error: REASONS[error.code] ?? error.message }
  }
}

/** False when whoever read the output is gone. */
function write(stream, text) {
  return new Promise((resolve) => {
    stream.write(text, (error) => resolve(error === undefined || error === null))
  })
}

async function main() {
  const plan = planCommand(process.argv.slice(2), version)
  if (plan.kind === 'exit') {
    await write(process.stdout, plan.stdout)
    await write(process.stderr, plan.stderr)
    return plan.code
  }
  const inputs = []
  for (const name of plan.files) inputs.push(await readInput(name))
  const { stdout } = process
  const isColourful = stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb'
  const pieces = inspectEach(inputs, plan.options, { isColourful, columns: stdout.columns })
  // Even when nobody reads any further, all is judged: the exit code is that of the whole.
  let isRead = true
  for (;;) {
    const { done, value } = pieces.next()
    if (done) {
      await write(process.stderr, value.stderr)
      return value.code
    }
    if (isRead) isRead = await write(stdout, value)
  }
}

for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

main().then(
  (code) => {
    process.exitCode = code
  },
  (error) => {
    process.stderr.write(`sip-parser: ${error.message}\n`)
    process.exitCode = 2
  },
)
