"""The fields of SciCat's dataset: which must be there, of which type, which the server makes."""

from __future__ import annotations

from typing import Final

TEXTS: Final = frozenset(
    {
        "classification",
        "comment",
        "contactEmail",
        "creationLocation",
        "creationTime",
        "dataFormat",
        "datasetName",
        "description",
        "endTime",
        "instrumentGroup",
        "jobLogData",
        "license",
        "orcidOfOwner",
        "owner",
        "ownerEmail",
        "ownerGroup",
        "pid",
        "runNumber",
        "scientificMetadataSchema",
        "sourceFolder",
        "sourceFolderHost",
        "startTime",
        "type",
        "validationStatus",
    }
)
"""Fields that hold text."""

TEXT_LISTS: Final = frozenset(
    {
        "accessGroups",
        "inputDatasets",
        "instrumentIds",
        "keywords",
        "principalInvestigators",
        "proposalIds",
        "sampleIds",
        "sharedWith",
        "usedSoftware",
    }
)
"""Fields that hold a list of texts."""

OBJECTS: Final = frozenset({"datasetlifecycle", "jobParameters", "scientificMetadata"})
"""Fields that hold an object."""

OBJECT_LISTS: Final = frozenset({"relationships", "techniques"})
"""Fields that hold a list of objects."""

FLAGS: Final = frozenset({"isPublished", "scientificMetadataValid"})
"""Fields that hold true or false."""

NUMBERS: Final = frozenset({"dataQualityMetrics"})
"""Fields that hold a whole number."""

TIMES: Final = frozenset({"createdAt", "creationTime", "endTime", "startTime", "updatedAt"})
"""Fields that hold a moment, and are compared as one."""

EMAILS: Final = frozenset({"contactEmail", "ownerEmail"})
"""Fields that hold an address, or several separated by semicolons."""

REQUIRED: Final = (
    "contactEmail",
    "creationTime",
    "datasetName",
    "owner",
    "ownerGroup",
    "sourceFolder",
    "type",
)
"""What a new dataset must say."""

MADE_HERE: Final = frozenset(
    {
        "_id",
        "__v",
        "attachments",
        "createdAt",
        "createdBy",
        "history",
        "id",
        "numberOfFiles",
        "numberOfFilesArchived",
        "origdatablocks",
        "packedSize",
        "size",
        "updatedAt",
        "updatedBy",
        "version",
    }
)
"""What only the server says; pyscicat and old clients send some of it, and it is not kept."""

OLD_NAMES: Final = {
    "investigator": "principalInvestigators",
    "instrumentId": "instrumentIds",
    "principalInvestigator": "principalInvestigators",
    "proposalId": "proposalIds",
    "sampleId": "sampleIds",
}
"""What ``/api/v3`` called one of what ``/api/v4`` has a list of."""

KNOWN: Final = TEXTS | TEXT_LISTS | OBJECTS | OBJECT_LISTS | FLAGS | NUMBERS | MADE_HERE
"""Every field of a dataset."""
