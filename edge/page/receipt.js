// The receipt of an answer (docs/receipts.md): one line, and everything behind it.

import { el, icon } from "./dom.js";
import * as words from "./words.js";

/** A receipt of the schema `skerry.receipt/1`, folded to one line. */
export function receiptView(receipt) {
  return el("details", { class: "receipt" }, summary(receipt), el("dl", {}, facts(receipt)));
}

/** The line in words, also for a screen reader. */
export function inOneLine(receipt) {
  return `${words.headline(receipt.answered_by ?? receipt.route.tier)}. ${leftShort(receipt)}.`;
}

function summary(receipt) {
  const tier = receipt.answered_by ?? receipt.route.tier;
  return el(
    "summary",
    {},
    icon("chevron"),
    el("span", { class: `lamp ${leftAny(receipt) ? "out" : "in"}`, "aria-hidden": "true" }),
    el("span", { class: "where" }, words.headline(tier)),
    el("span", { class: "parts" }, part(leftShort(receipt)), part(words.milliseconds(receipt.total_ms))),
    el("span", { class: "unseen" }, "Receipt"),
  );
}

function part(text) {
  return el("span", { class: "part" }, text);
}

function leftAny(receipt) {
  return receipt.egress.length > 0;
}

function leftShort(receipt) {
  if (!leftAny(receipt)) return "Nothing left this device";
  const sum = receipt.egress.reduce((total, one) => total + one.bytes_sent, 0);
  return `${words.bytes(sum)} left this device`;
}

function facts(receipt) {
  return [
    fact("Taken for", kind(receipt.route)),
    fact("Answered", answered(receipt)),
    fact("Because", reasons(receipt.route)),
    fact("Left the device", leftLong(receipt)),
    fact("Checked", checked(receipt)),
    receipt.model && fact("Model", model(receipt)),
    fact("Time", steps(receipt)),
    fact("Receipt", el("code", {}, receipt.id)),
  ];
}

function fact(name, value) {
  return [el("dt", {}, name), el("dd", {}, value)];
}

function kind(route) {
  const percent = Math.round(route.confidence * 100);
  return `${words.requestClass(route.request_class)} (${percent}% sure)`;
}

function answered(receipt) {
  if (!receipt.answered_by) return `Not at all; the plan was: ${words.place(receipt.route.tier)}`;
  const fallen = receipt.fell_back && el("p", { class: "aside" }, receipt.fell_back);
  return [words.place(receipt.answered_by), fallen];
}

/** Why, but for the class, which is told in words above. */
function reasons(route) {
  const told = route.reasons.filter((reason) => reason.rule !== "class");
  return el("ul", {}, told.map((reason) => el("li", { title: reason.rule }, reason.text)));
}

function leftLong(receipt) {
  if (!leftAny(receipt)) return el("span", { class: "good" }, "Nothing left this device");
  return el("ul", {}, receipt.egress.map((one) => el("li", {}, departure(one))));
}

function departure(one) {
  const what = one.what.map(words.sent).join(", ") || "nothing";
  const kinds = Object.entries(one.replaced ?? {}).map(([label, count]) => `${count} ${label.replaceAll("_", " ")}`);
  const which = kinds.length ? ` (${kinds.join(", ")})` : "";
  const replaced = one.redactions ? `; ${words.count(one.redactions, "identifier")} replaced${which}` : "";
  const approved = one.approved ? "; you approved it" : "";
  return `${what}, to ${one.destination}: ${words.bytes(one.bytes_sent)}${replaced}${approved}${shared(one.split)}`;
}

/** How the answer was drafted here and verified there. */
function shared(split) {
  if (!split) return "";
  const drafts = split.why || `${split.drafted} drafted here, ${split.taken} of them taken`;
  return `; ${words.count(split.tokens, "token")} in ${words.count(split.passes, "pass", "passes")} of ${split.model}, ${drafts}`;
}

function checked(receipt) {
  if (!receipt.verdict) return "Nothing reached the gate";
  return words.verdict(receipt.verdict, receipt.verdict_details);
}

function model({ model: used, usage }) {
  const tokens = usage ? `, ${words.count(usage.completion_tokens, "token")}` : "";
  return `${used.name}${tokens}`;
}

function steps(receipt) {
  const longest = Math.max(...receipt.steps.map((step) => step.ms), 1e-9);
  const rows = receipt.steps.map((step) => stepRow(step, longest));
  const total = el("tr", { class: "sum" }, cells("All together", receipt.total_ms), el("td"));
  return el("table", { class: "steps" }, el("tbody", {}, rows, total));
}

function stepRow(step, longest) {
  const bar = el("span", { class: "time-bar", "aria-hidden": "true" });
  bar.style.width = `${Math.max(1, (100 * step.ms) / longest)}%`;
  return el("tr", {}, cells(words.step(step.name), step.ms), el("td", {}, bar));
}

function cells(name, ms) {
  return [el("th", { scope: "row" }, name), el("td", { class: "ms" }, words.milliseconds(ms))];
}
