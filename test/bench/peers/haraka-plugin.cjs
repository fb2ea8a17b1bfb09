// Haraka's equal of obvious-mail.ts: the same parser, the same event, the same ack, in its queue hook.
"use strict";

const { createRequire } = require("node:module");

// The plugin is copied into Haraka's folder; its libraries are those of the checkout.
const checkout = createRequire(process.env.BENCH_CHECKOUT);
const { simpleParser } = checkout("mailparser");
const { jetstream } = checkout("@nats-io/jetstream");
const { connect } = checkout("@nats-io/transport-node");
const { EVENT_NAME, eventOf } = checkout("./test/bench/peers/obvious-event.ts");

// Haraka's return codes (haraka-constants).
const OK = 906;
const DENYSOFT = 903;

let jetStream;

exports.register = function () {
  this.register_hook("rcpt", "take");
  this.register_hook("queue", "store");
};

exports.take = (next) => next(OK);

exports.store = async function (next, { transaction }) {
  let failure;
  try {
    await take(transaction);
  } catch (error) {
    failure = error.message;
  }
  if (failure === undefined) next(OK);
  else next(DENYSOFT, failure);
};

async function take(transaction) {
  jetStream ??= connect({ servers: process.env.BENCH_NATS, noAsyncTraces: true }).then((nats) => jetstream(nats));
  const mail = await simpleParser(transaction.message_stream, {
    skipTextToHtml: true,
    skipTextLinks: true,
    skipImageLinks: true,
  });
  const to = transaction.rcpt_to.map((rcpt) => rcpt.address);
  const { id, text } = eventOf(mail, transaction.mail_from.address, to);
  const js = await jetStream;
  await js.publish(EVENT_NAME, text, { msgID: id, expect: { streamName: "POSTHORN_EVENTS" } });
}
