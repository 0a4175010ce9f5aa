// The chat page of `skerry serve`: puts the parts together.

import { announce } from "./announce.js";
import * as api from "./api.js";
import { Beginning } from "./beginning.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { askForKey, wireDialogs } from "./dialogs.js";
import { Documents, fault, holdings } from "./documents.js";
import { byId } from "./dom.js";
import { currentKey, keepKey, takeKeyFromAddress } from "./key.js";
import { OfflineSwitch } from "./offline.js";
import { Panel } from "./panel.js";
import { Scroll } from "./scroll.js";
import { promise, stateLine } from "./standing.js";

const ASK_FOR_KEY = "Open the address that `skerry serve` printed, or paste the key from the file that it named.";
const WRONG_KEY = "That key is not this server's. The right one is in the file that `skerry serve` named.";

takeKeyFromAddress();
wireDialogs();

const offline = new OfflineSwitch(byId("offline"), () => showStanding());
const panel = new Panel();
const documents = new Documents(withKey);
const scroll = new Scroll(byId("scroller"));
const conversation = new Conversation(byId("conversation"), {
  isOffline: () => offline.on,
  openSource,
  withKey,
  onChange: showBusy,
});
const beginning = new Beginning({ conversation, scroll, withKey, onStored, refuse });
const composer = new Composer({ ask, stop: () => conversation.stop() });

let standing = null;
let asking = null;

byId("new").addEventListener("click", startAnew);
byId("open-documents").addEventListener("click", (event) => toggleDocuments(event.currentTarget));
document.addEventListener("keydown", onKey);
composer.focus();
let loading = load();

/** Shows what there is. What goes wrong is shown too; nothing is raised. */
async function load() {
  byId("trouble").replaceChildren();
  try {
    standing = await withKey(api.state);
    showStanding();
    await beginning.open();
  } catch (error) {
    return refuse(error);
  }
  listDocuments();
}

async function listDocuments() {
  await documents.list();
  byId("holdings").textContent = holdings(documents.found);
}

/** Says why nothing can be shown, where it is seen. */
function refuse(error) {
  byId("welcome").hidden = false;
  const place = panel.isOpen ? byId("panel-body") : byId("trouble");
  place.replaceChildren(fault(error, () => { loading = load(); }));
}

function onStored(stored) {
  standing = { ...standing, stored };
  showStanding();
}

function showStanding() {
  if (standing === null) return;
  offline.force(standing.offline);
  byId("state").textContent = stateLine(standing);
  byId("promise").textContent = promise(standing, offline.on);
}

async function ask(question) {
  await loading; // which conversation it belongs to
  await beginning.asked();
  scroll.follow();
  await conversation.ask(question);
}

function showBusy(busy) {
  composer.setBusy(busy);
  if (busy) announce("Answering");
}

async function startAnew() {
  composer.focus();
  announce("New conversation");
  await beginning.anew().catch(refuse);
}

function toggleDocuments(opener) {
  if (panel.isOpen) return panel.close();
  panel.open(opener);
  return documents.list();
}

function openSource(citation, opener) {
  panel.open(opener);
  return documents.open(citation.document, { start: citation.start, end: citation.end });
}

/** Does `work`; where the server wants a key, asks for one and does it again. */
async function withKey(work) {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof api.Fault && error.wantsKey)) throw error;
      if (!(await newKey())) throw error;
    }
  }
}

/** Asks for a key once, however many requests want one. */
function newKey() {
  asking ??= askForKey(currentKey() ? WRONG_KEY : ASK_FOR_KEY)
    .then((key) => {
      if (key !== null) keepKey(key);
      return key !== null;
    })
    .finally(() => {
      asking = null;
    });
  return asking;
}

function onKey(event) {
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "Escape") escape();
  if (event.key === "/" && !isWriting(event.target)) {
    event.preventDefault();
    panel.covers && panel.close();
    composer.focus();
  }
}

function escape() {
  if (panel.covers) panel.close();
  else if (conversation.busy) conversation.stop();
  else if (panel.isOpen) panel.close();
}

function isWriting(element) {
  return element instanceof Element && element.matches("input, textarea, select");
}
