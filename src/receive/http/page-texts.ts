import type { RefusedCause, RequestRefusedCause, TryLaterCause } from "../../model/outcome.ts";
import type { Language } from "./negotiate.ts";

/** What is wrong, as far as the person at the form can do something about it. */
export type PageProblem =
  | "gone"
  | "closed"
  | "later"
  | "slower"
  | "too-large"
  | "fields"
  | "captcha"
  | "origin"
  | "unreadable";

interface Page {
  readonly title: string;
  readonly text: string;
}

export interface PageTexts {
  readonly thanks: Page;
  readonly explain: Page;
  readonly problems: Readonly<Record<PageProblem, Page>>;
  /** Stands in front of the number that a person may quote. */
  readonly reference: string;
  /** Of every page with a problem. */
  readonly nothingKept: string;
}

type Cause = RefusedCause | RequestRefusedCause | TryLaterCause;

const PROBLEMS: Readonly<Partial<Record<Cause, PageProblem>>> = {
  "no-such-hook": "gone",
  "hook-disabled": "closed",
  "rate-limited": "slower",
  "too-large": "too-large",
  "schema-failed": "fields",
  "captcha-failed": "captcha",
  "origin-not-allowed": "origin",
};

/** Which sentence a cause is told by; every other one is a fault of ours or of the form's author. */
export function pageProblemOf(cause: Cause, isLater: boolean): PageProblem {
  return PROBLEMS[cause] ?? (isLater ? "later" : "unreadable");
}

export const PAGE_TEXTS: Readonly<Record<Language, PageTexts>> = {
  en: {
    thanks: { title: "Thank you", text: "Your message has arrived. You can close this page." },
    explain: {
      title: "The address of a form",
      text: "Forms on other pages send their data here. There is nothing to see or to fill in at this address.",
    },
    problems: {
      gone: {
        title: "This form does not exist",
        text: "Perhaps the page with the form is out of date. Please tell its owner.",
      },
      closed: { title: "This form is closed", text: "It takes no messages any more." },
      later: {
        title: "Not possible right now",
        text: "Your message could not be stored. Please go back and send it again in a minute.",
      },
      slower: { title: "Too many messages", text: "Please wait a minute, go back and send it again." },
      "too-large": {
        title: "Too large",
        text: "What you sent is larger than this form takes. Please choose smaller files.",
      },
      fields: { title: "Please check your entries", text: "Go back and correct these fields:" },
      captcha: {
        title: "Are you human?",
        text: "The check that you are human was not passed. Please go back and do it again.",
      },
      origin: { title: "Not from this page", text: "This form may not be sent from the page you came from." },
      unreadable: {
        title: "This could not be read",
        text: "Something is wrong with the form itself. Please tell the owner of the page.",
      },
    },
    reference: "Reference",
    nothingKept: "Nothing of what you sent was kept.",
  },
  de: {
    thanks: { title: "Vielen Dank", text: "Ihre Nachricht ist angekommen. Sie können diese Seite schließen." },
    explain: {
      title: "Die Adresse eines Formulars",
      text: "Formulare auf anderen Seiten senden ihre Daten hierher. Hier gibt es nichts zu sehen und nichts auszufüllen.",
    },
    problems: {
      gone: {
        title: "Dieses Formular gibt es nicht",
        text: "Vielleicht ist die Seite mit dem Formular veraltet. Bitte sagen Sie es ihrem Betreiber.",
      },
      closed: { title: "Dieses Formular ist geschlossen", text: "Es nimmt keine Nachrichten mehr an." },
      later: {
        title: "Im Moment nicht möglich",
        text: "Ihre Nachricht konnte nicht gespeichert werden. Bitte gehen Sie zurück und senden Sie sie in einer Minute noch einmal.",
      },
      slower: {
        title: "Zu viele Nachrichten",
        text: "Bitte warten Sie eine Minute, gehen Sie zurück und senden Sie sie noch einmal.",
      },
      "too-large": {
        title: "Zu groß",
        text: "Was Sie gesendet haben, ist größer, als dieses Formular annimmt. Bitte wählen Sie kleinere Dateien.",
      },
      fields: { title: "Bitte prüfen Sie Ihre Eingaben", text: "Gehen Sie zurück und berichtigen Sie diese Felder:" },
      captcha: {
        title: "Sind Sie ein Mensch?",
        text: "Die Prüfung, ob Sie ein Mensch sind, wurde nicht bestanden. Bitte gehen Sie zurück und wiederholen Sie sie.",
      },
      origin: {
        title: "Nicht von dieser Seite",
        text: "Dieses Formular darf von der Seite, von der Sie kommen, nicht gesendet werden.",
      },
      unreadable: {
        title: "Das war nicht lesbar",
        text: "Mit dem Formular selbst stimmt etwas nicht. Bitte sagen Sie es dem Betreiber der Seite.",
      },
    },
    reference: "Kennung",
    nothingKept: "Von dem, was Sie gesendet haben, wurde nichts behalten.",
  },
  es: {
    thanks: { title: "Gracias", text: "Su mensaje ha llegado. Puede cerrar esta página." },
    explain: {
      title: "La dirección de un formulario",
      text: "Los formularios de otras páginas envían aquí sus datos. En esta dirección no hay nada que ver ni que rellenar.",
    },
    problems: {
      gone: {
        title: "Este formulario no existe",
        text: "Quizá la página del formulario esté anticuada. Avise a su responsable, por favor.",
      },
      closed: { title: "Este formulario está cerrado", text: "Ya no acepta mensajes." },
      later: {
        title: "Ahora no es posible",
        text: "Su mensaje no se pudo guardar. Vuelva atrás y envíelo de nuevo dentro de un minuto.",
      },
      slower: { title: "Demasiados mensajes", text: "Espere un minuto, vuelva atrás y envíelo de nuevo." },
      "too-large": {
        title: "Demasiado grande",
        text: "Lo que ha enviado supera lo que acepta este formulario. Elija archivos más pequeños.",
      },
      fields: { title: "Revise sus datos", text: "Vuelva atrás y corrija estos campos:" },
      captcha: {
        title: "¿Es usted una persona?",
        text: "No se superó la comprobación. Vuelva atrás y hágala de nuevo.",
      },
      origin: {
        title: "No desde esta página",
        text: "Este formulario no se puede enviar desde la página de la que viene.",
      },
      unreadable: {
        title: "No se pudo leer",
        text: "Algo falla en el formulario mismo. Avise al responsable de la página, por favor.",
      },
    },
    reference: "Referencia",
    nothingKept: "No se ha guardado nada de lo que envió.",
  },
  fr: {
    thanks: { title: "Merci", text: "Votre message est arrivé. Vous pouvez fermer cette page." },
    explain: {
      title: "L’adresse d’un formulaire",
      text: "Des formulaires d’autres pages envoient leurs données ici. Il n’y a rien à voir ni à remplir à cette adresse.",
    },
    problems: {
      gone: {
        title: "Ce formulaire n’existe pas",
        text: "La page du formulaire n’est peut-être plus à jour. Veuillez prévenir son responsable.",
      },
      closed: { title: "Ce formulaire est fermé", text: "Il ne prend plus de messages." },
      later: {
        title: "Impossible pour l’instant",
        text: "Votre message n’a pas pu être enregistré. Revenez en arrière et envoyez-le de nouveau dans une minute.",
      },
      slower: { title: "Trop de messages", text: "Attendez une minute, revenez en arrière et envoyez-le de nouveau." },
      "too-large": {
        title: "Trop volumineux",
        text: "Votre envoi dépasse ce que ce formulaire accepte. Choisissez des fichiers plus petits.",
      },
      fields: { title: "Vérifiez vos réponses", text: "Revenez en arrière et corrigez ces champs :" },
      captcha: {
        title: "Êtes-vous humain ?",
        text: "La vérification n’a pas réussi. Revenez en arrière et recommencez-la.",
      },
      origin: {
        title: "Pas depuis cette page",
        text: "Ce formulaire ne peut pas être envoyé depuis la page d’où vous venez.",
      },
      unreadable: {
        title: "Illisible",
        text: "Le formulaire lui-même a un défaut. Veuillez prévenir le responsable de la page.",
      },
    },
    reference: "Référence",
    nothingKept: "Rien de ce que vous avez envoyé n’a été gardé.",
  },
  pt: {
    thanks: { title: "Obrigado", text: "A sua mensagem chegou. Pode fechar esta página." },
    explain: {
      title: "O endereço de um formulário",
      text: "Formulários de outras páginas enviam os seus dados para aqui. Neste endereço não há nada para ver nem preencher.",
    },
    problems: {
      gone: {
        title: "Este formulário não existe",
        text: "Talvez a página do formulário esteja desatualizada. Avise o responsável, por favor.",
      },
      closed: { title: "Este formulário está fechado", text: "Já não recebe mensagens." },
      later: {
        title: "De momento não é possível",
        text: "A sua mensagem não pôde ser guardada. Volte atrás e envie-a de novo daqui a um minuto.",
      },
      slower: { title: "Demasiadas mensagens", text: "Espere um minuto, volte atrás e envie-a de novo." },
      "too-large": {
        title: "Demasiado grande",
        text: "O que enviou é maior do que este formulário aceita. Escolha ficheiros mais pequenos.",
      },
      fields: { title: "Verifique os seus dados", text: "Volte atrás e corrija estes campos:" },
      captcha: { title: "É uma pessoa?", text: "A verificação não foi superada. Volte atrás e faça-a de novo." },
      origin: {
        title: "Não a partir desta página",
        text: "Este formulário não pode ser enviado a partir da página de onde vem.",
      },
      unreadable: {
        title: "Não foi possível ler",
        text: "Há algo errado com o próprio formulário. Avise o responsável da página, por favor.",
      },
    },
    reference: "Referência",
    nothingKept: "Nada do que enviou foi guardado.",
  },
};
